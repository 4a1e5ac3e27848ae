"""Streams that callers give to read from and to write to."""

from __future__ import annotations

import io
from typing import Any, Optional

CHUNK_BYTES = 64 * 1024


def check_destination(destination: Any, max_bytes: Optional[int]) -> None:
    """:raises TypeError: for what cannot be written to.
    :raises ValueError: for a limit that is none.
    """
    if destination is None or not callable(getattr(destination, "write", None)):
        raise TypeError("the destination must have a method write(bytes)")
    if isinstance(destination, io.TextIOBase):
        raise TypeError("the destination is opened in text mode; open it with mode 'wb'")
    if max_bytes is not None and (type(max_bytes) is not int or max_bytes < 0):
        raise ValueError(f"max_bytes must be a whole number from 0 up or None, not {max_bytes!r}")


def check_size(size: Optional[int], max_bytes: Optional[int]) -> None:
    """:raises RuntimeError: when it is known to be too large."""
    if max_bytes is not None and size is not None and size > max_bytes:
        raise too_large(max_bytes)


def too_large(max_bytes: int) -> RuntimeError:
    return RuntimeError(f"File size exceeds limit of {max_bytes} bytes.")


def accepted(count: Any, offered: int) -> int:
    """How many bytes a destination took.

    :raises OSError: when it took none, or says that it took more than there were.
    """
    if not isinstance(count, int) or count <= 0:
        raise OSError("the destination took no bytes")
    if count > offered:
        raise OSError(f"the destination says that it took {count} bytes of {offered}")
    return count


def check_content(content: Any) -> None:
    """:raises TypeError: for what holds no bytes."""
    if isinstance(content, (str, bytes, bytearray, memoryview)):
        return
    if isinstance(content, io.TextIOBase):
        raise TypeError("the file is opened in text mode; open it with mode 'rb'")
    if not callable(getattr(content, "read", None)):
        raise TypeError(
            f"content must be bytes, str or a binary file object, not {type(content).__name__}"
        )
