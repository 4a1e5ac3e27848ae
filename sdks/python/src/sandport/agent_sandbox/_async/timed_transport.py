"""Requests with a time limit of their own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import AsyncIterator, Optional

import httpx

from ..._async.body import AsyncBody
from ..._async.transport import AsyncTransport
from ..._wire.call import ReadTimeout, Request


class AsyncTimedTransport(AsyncTransport):
    """The connections of another transport; each answer is waited for so long."""

    def __init__(self, transport: AsyncTransport, wait: ReadTimeout) -> None:
        """:param wait: seconds without a byte."""
        self.config = transport.config
        self._transport = transport
        self._wait = wait

    @asynccontextmanager
    async def open(
        self, request: Request, body: Optional[AsyncBody] = None
    ) -> AsyncIterator[httpx.Response]:
        timed = replace(request, read_timeout=self._wait)
        async with self._transport.open(timed, body) as response:
            yield response

    async def aclose(self) -> None:
        """Does nothing: the connections belong to the other transport."""
