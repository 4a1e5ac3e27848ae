"""Watching a directory."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import AsyncIterator, List, Optional, Type

from .._wire import watch
from .._wire.call import RemotePath, Request
from .._wire.watch import WatchParser
from ..file_models import WatchEvent
from .files_base import AsyncFilesBase
from .transport import AsyncTransport


class AsyncWatch:
    """What happens in a directory. Entering the ``async with`` block returns when everything is
    watched; iterating gives events until the directory is gone or the block is left."""

    def __init__(self, transport: AsyncTransport, request: Request) -> None:
        self._transport = transport
        self._request = request
        self._stack = AsyncExitStack()
        self._parser = WatchParser()
        self._chunks: Optional[AsyncIterator[bytes]] = None
        self._early: List[WatchEvent] = []

    async def __aenter__(self) -> AsyncWatch:
        answer = await self._stack.enter_async_context(self._transport.stream(self._request))
        try:
            self._chunks = answer.__aiter__()
            while not self._parser.ready:
                try:
                    chunk = await self._chunks.__anext__()
                except StopAsyncIteration:
                    raise self._parser.broke_off() from None
                self._early.extend(self._parser.feed(chunk))
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aiter__(self) -> AsyncIterator[WatchEvent]:
        """:raises NetworkError: when the connection ends: events may be lost, so list again."""
        while self._early:
            yield self._early.pop(0)
        if self._parser.ended or self._chunks is None:
            return
        async for chunk in self._chunks:
            for event in self._parser.feed(chunk):
                yield event
            if self._parser.ended:
                return
        raise self._parser.broke_off()

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._stack.aclose()


class AsyncFileWatchMethods(AsyncFilesBase):
    def watch(self, path: RemotePath, *, recursive: bool = True) -> AsyncWatch:
        """Tells what changes in a directory, as it happens.

        >>> async with sandbox.files.watch("/workspace") as events:
        ...     async for event in events:
        ...         print(event.type, event.path)

        :param recursive: also in the directories below, new ones too.
        """
        request = watch.watch(self._owner, self._path(path), recursive)
        return AsyncWatch(self._transport, request)
