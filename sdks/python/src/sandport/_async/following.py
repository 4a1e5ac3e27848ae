"""Reads the output of a command as it is written."""

from __future__ import annotations

import asyncio
from typing import AsyncGenerator, Optional

from .._flow import Patience, may_resume
from .._progress import Progress
from .._wire.output_feed import OutputFeed
from ..command_models import CommandOutput
from ..errors import SandportError
from .transport import AsyncTransport, StreamedAnswer


class Following:
    """One reading of a feed, to be iterated once. A broken connection is made again where it
    was."""

    def __init__(self, transport: AsyncTransport, feed: OutputFeed) -> None:
        self._transport = transport
        self._feed = feed
        self._stopped = False
        self._answer: Optional[StreamedAnswer] = None

    async def __aiter__(self) -> AsyncGenerator[CommandOutput, None]:
        """Until the command has ended or the reading is stopped.

        :raises NetworkError: when the daemon is away for a minute.
        """
        patience = Patience(Progress())
        while not self._feed.ended and not self._stopped:
            try:
                async for piece in self._connection(patience):
                    yield piece
            except SandportError as error:
                if self._feed.ended or self._stopped:
                    return
                if not may_resume(error):
                    raise
                await asyncio.sleep(patience.pause(error).seconds)

    async def _connection(self, patience: Patience) -> AsyncGenerator[CommandOutput, None]:
        async with self._transport.stream(self._feed.request()) as answer:
            try:
                self._answer = answer
                if self._stopped:
                    return
                async for chunk in answer:
                    patience.progressed()
                    for piece in self._feed.feed(chunk):
                        yield piece
                        if self._stopped:
                            return
            finally:
                self._answer = None
        if not self._feed.ended and not self._stopped:
            raise self._feed.broke_off()

    def stop(self) -> None:
        """Ends the reading, from any task."""
        self._stopped = True
        if self._answer is not None:
            self._answer.abort()
