"""Input of commands, in the pieces that are sent one after the other."""

from __future__ import annotations

import io
from typing import Iterable, Iterator

from .body import CHUNK_BYTES, BinaryReader, Content, as_bytes


def stdin_chunks(content: Content) -> Iterator[bytes]:
    """What a file has ready is not kept waiting for what it has not.

    :raises TypeError: for what is not bytes, text, a binary file or an iterable of bytes.
    """
    if isinstance(content, str):
        return iter((content.encode("utf-8"),))
    if isinstance(content, (bytes, bytearray, memoryview)):
        return iter((bytes(content),))
    if isinstance(content, io.TextIOBase):
        raise TypeError("the file is opened in text mode; open it with mode 'rb'")
    if callable(getattr(content, "read", None)):
        return _ready_chunks(content)  # type: ignore[arg-type]
    if isinstance(content, Iterable):
        return (as_bytes(chunk) for chunk in content)
    raise TypeError(
        "stdin must be str, bytes, a file object opened in binary mode or an iterable of bytes, "
        f"not {type(content).__name__}"
    )


def _ready_chunks(file: BinaryReader) -> Iterator[bytes]:
    read = getattr(file, "read1", file.read)
    while True:
        chunk = as_bytes(read(CHUNK_BYTES))
        if not chunk:
            return
        yield chunk
