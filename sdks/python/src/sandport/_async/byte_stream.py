"""Contents of a file, piece by piece."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import AsyncIterator, Optional, Type

from .._wire import files
from .._wire.call import Request
from .transport import AsyncTransport, StreamedAnswer


class AsyncByteStream:
    """Contents of a file, piece by piece. Iterate it once, best inside an ``async with`` block:
    leaving the block early ends the transfer. Entering the block, or else the first step, opens
    it."""

    def __init__(self, transport: AsyncTransport, request: Request) -> None:
        self._transport = transport
        self._request = request
        self._stack = AsyncExitStack()
        self._answer: Optional[StreamedAnswer] = None

    async def _open(self) -> StreamedAnswer:
        if self._answer is None:
            stream = self._transport.stream(self._request)
            self._answer = await self._stack.enter_async_context(stream)
        return self._answer

    @property
    def size(self) -> Optional[int]:
        """Bytes of the stream; None before it is opened, or when it was not announced."""
        return files.content_length(self._answer.headers) if self._answer else None

    @property
    def etag(self) -> Optional[str]:
        """Validator of these contents, quoted; None before the stream is opened."""
        return self._answer.headers.get("etag") if self._answer else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        answer = await self._open()
        async with self._stack:
            async for piece in answer:
                yield piece

    async def __aenter__(self) -> AsyncByteStream:
        await self._open()
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._stack.aclose()
