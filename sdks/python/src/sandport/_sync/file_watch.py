"""Watching a directory."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Iterator, List, Optional, Type

from .._wire import watch
from .._wire.call import RemotePath, Request
from .._wire.watch import WatchParser
from ..file_models import WatchEvent
from .files_base import FilesBase
from .transport import Transport


class Watch:
    """What happens in a directory. Entering the ``with`` block returns when everything is watched;
    iterating gives events until the directory is gone or the block is left."""

    def __init__(self, transport: Transport, request: Request) -> None:
        self._transport = transport
        self._request = request
        self._stack = ExitStack()
        self._parser = WatchParser()
        self._chunks: Iterator[bytes] = iter(())
        self._early: List[WatchEvent] = []

    def __enter__(self) -> Watch:
        answer = self._stack.enter_context(self._transport.stream(self._request))
        try:
            self._chunks = iter(answer)
            while not self._parser.ready:
                chunk = next(self._chunks, None)
                if chunk is None:
                    raise self._parser.broke_off()
                self._early.extend(self._parser.feed(chunk))
        except BaseException:
            self.close()
            raise
        return self

    def __iter__(self) -> Iterator[WatchEvent]:
        """:raises NetworkError: when the connection ends: events may be lost, so list again."""
        while self._early:
            yield self._early.pop(0)
        if self._parser.ended:
            return
        for chunk in self._chunks:
            yield from self._parser.feed(chunk)
            if self._parser.ended:
                return
        raise self._parser.broke_off()

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()


class FileWatchMethods(FilesBase):
    def watch(self, path: RemotePath, *, recursive: bool = True) -> Watch:
        """Tells what changes in a directory, as it happens.

        >>> with sandbox.files.watch("/workspace") as events:
        ...     for event in events:
        ...         print(event.type, event.path)

        :param recursive: also in the directories below, new ones too.
        """
        request = watch.watch(self._owner, self._path(path), recursive)
        return Watch(self._transport, request)
