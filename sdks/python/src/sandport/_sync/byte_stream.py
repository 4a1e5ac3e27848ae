"""Contents of a file, piece by piece."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Iterator, Optional, Type

from .._wire import files
from .._wire.call import Request
from .transport import StreamedAnswer, Transport


class ByteStream:
    """Contents of a file, piece by piece. Iterate it once, best inside a ``with`` block: leaving
    the block early ends the transfer. Entering the block, or else the first step, opens it."""

    def __init__(self, transport: Transport, request: Request) -> None:
        self._transport = transport
        self._request = request
        self._stack = ExitStack()
        self._answer: Optional[StreamedAnswer] = None

    def _open(self) -> StreamedAnswer:
        if self._answer is None:
            self._answer = self._stack.enter_context(self._transport.stream(self._request))
        return self._answer

    @property
    def size(self) -> Optional[int]:
        """Bytes of the stream; None before it is opened, or when it was not announced."""
        return files.content_length(self._answer.headers) if self._answer else None

    @property
    def etag(self) -> Optional[str]:
        """Validator of these contents, quoted; None before the stream is opened."""
        return self._answer.headers.get("etag") if self._answer else None

    def __iter__(self) -> Iterator[bytes]:
        answer = self._open()
        with self._stack:
            yield from answer

    def __enter__(self) -> ByteStream:
        self._open()
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()
