"""What can be written to a file, made into chunks with a known length where there is one."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from typing import Iterable, Iterator, Optional, Protocol, TypeVar, Union

from .._progress import Progress

#: Bytes read from a local file at a time.
CHUNK_BYTES = 1024 * 1024


class BinaryReader(Protocol):
    """A file object that was opened in binary mode."""

    def read(self, size: int = ..., /) -> bytes: ...


BytesLike = Union[bytes, bytearray, memoryview]

#: Text is sent as UTF-8. Files and iterables are read once, to their end, a chunk at a time.
Content = Union[str, BytesLike, BinaryReader, Iterable[BytesLike]]

T = TypeVar("T", bytes, memoryview)


class Body:
    """Chunks of a body, counted and hashed as they are taken. To be iterated once."""

    #: Told when a chunk has been sent.
    progress: Optional[Progress] = None

    def __init__(
        self, chunks: Iterable[BytesLike], size: Optional[int], *, hashed: bool = True
    ) -> None:
        """
        :param hashed: False where nobody asks for :attr:`sha256`.
        """
        #: Bytes that the chunks have together; None when it is not known in advance.
        self.size = size
        self.taken_bytes = 0
        self._chunks = iter(chunks)
        self._hash = hashlib.sha256() if hashed else None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        for chunk in self._chunks:
            data = as_bytes(chunk)
            if data:  # An empty chunk would end a chunked body.
                return self.take(data)
        if self.size is not None and self.taken_bytes < self.size:
            raise OSError(
                f"The file became shorter while it was sent: {self.taken_bytes} bytes of "
                f"{self.size} were there."
            )
        raise StopIteration

    def take(self, data: T) -> T:
        if self._hash is not None:
            self._hash.update(data)
        self.taken_bytes += len(data)
        return data

    @property
    def sha256(self) -> bytes:
        """Of the chunks taken until now."""
        assert self._hash is not None
        return self._hash.digest()

    def report(self) -> None:
        if self.progress is not None:
            self.progress.report()


class CountedBody(Body):
    """A body whose bytes are the progress."""

    def take(self, data: T) -> T:
        if self.progress is not None:
            self.progress.add(len(data))
        return super().take(data)


class MemoryBody(Body):
    """Bytes that are in memory: the digest is known before they are sent."""

    def __init__(self, data: Union[bytes, memoryview]) -> None:
        super().__init__((), len(data))
        self.data = data
        self.take(memoryview(data))

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), CHUNK_BYTES):
            yield bytes(self.data[start : start + CHUNK_BYTES])


def make_body(content: Content) -> Body:
    """:raises TypeError: for what is not bytes, text, a binary file or an iterable of bytes."""
    if isinstance(content, str):
        return MemoryBody(content.encode("utf-8"))
    if isinstance(content, bytes):
        return MemoryBody(content)
    if isinstance(content, (bytearray, memoryview)):
        view = memoryview(content)
        return MemoryBody(view.cast("B") if view.c_contiguous else view.tobytes())
    if isinstance(content, io.TextIOBase):
        raise TypeError("the file is opened in text mode; open it with mode 'rb'")
    read = getattr(content, "read", None)
    if callable(read):
        size = _bytes_left(content)
        return Body(_file_chunks(content, size), size)  # type: ignore[arg-type]
    if isinstance(content, Iterable):
        return Body(content, None)
    raise TypeError(
        "content must be str, bytes, a file object opened in binary mode or an iterable of bytes, "
        f"not {type(content).__name__}"
    )


def file_body(file: BinaryReader) -> Body:
    """A file from its position; what is sent counts as progress."""
    size = _bytes_left(file)
    return CountedBody(_file_chunks(file, size), size)


def as_bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, (bytearray, memoryview)):
        return bytes(chunk)
    raise TypeError(f"content must give bytes, not {type(chunk).__name__}")


def _file_chunks(file: BinaryReader, size: Optional[int]) -> Iterator[bytes]:
    """To the end, or as many bytes as were there at the start when the file grows meanwhile."""
    left = size
    while left is None or left > 0:
        chunk = as_bytes(file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def _bytes_left(file: object) -> Optional[int]:
    """Bytes from the position of a file object to its end; None when it cannot know."""
    if isinstance(file, io.BytesIO):
        return max(0, len(file.getbuffer()) - file.tell())
    if not isinstance(file, (io.BufferedReader, io.BufferedRandom, io.FileIO)):
        return None  # Of a wrapper that unpacks, the descriptor's size is not that of the bytes.
    try:
        status = os.fstat(file.fileno())
        # Files of the kernel say that they are empty: read them to their end.
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return None
        return max(0, status.st_size - file.tell())
    except (OSError, ValueError):
        return None
