"""Requests with a time limit of their own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import Iterator, Optional

import httpx

from ..._sync.transport import Transport
from ..._wire.body import Body
from ..._wire.call import ReadTimeout, Request


class TimedTransport(Transport):
    """The connections of another transport; each answer is waited for so long."""

    def __init__(self, transport: Transport, wait: ReadTimeout) -> None:
        """:param wait: seconds without a byte."""
        self.config = transport.config
        self._transport = transport
        self._wait = wait

    @contextmanager
    def open(self, request: Request, body: Optional[Body] = None) -> Iterator[httpx.Response]:
        with self._transport.open(replace(request, read_timeout=self._wait), body) as response:
            yield response

    def close(self) -> None:
        """Does nothing: the connections belong to the other transport."""
