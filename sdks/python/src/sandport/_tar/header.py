"""Headers of tar archives as they are written: ustar, with a PAX record for what ustar cannot
hold."""

from __future__ import annotations

import struct
from typing import Dict, Final

from .._values import time_text

BLOCK: Final = 512

FILE: Final = b"0"
HARD_LINK: Final = b"1"
SYMLINK: Final = b"2"
DIRECTORY: Final = b"5"
PAX: Final = b"x"

_HEADER: Final = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_NO_CHECKSUM: Final = b" " * 8
_LARGEST_SIZE: Final = 0o77777777777
_LARGEST_TIME: Final = 0o77777777777
_NANOS: Final = 1_000_000_000

#: Two empty blocks.
END: Final = bytes(2 * BLOCK)


def padding(size: int) -> bytes:
    """What fills the last block of contents of this size."""
    return bytes(-size % BLOCK)


def entry_header(
    kind: bytes, name: str, *, mode: int, size: int = 0, mtime_ns: int = 0, goal: str = ""
) -> bytes:
    """Header of one entry; nothing of the owner is told.

    :param name: relative, with slashes. :param goal: of a link.
    :raises UnicodeEncodeError: for a name that is not Unicode.
    """
    records: Dict[str, str] = {}
    raw_name = name.encode("utf-8")
    if kind == DIRECTORY:
        raw_name += b"/"
    raw_goal = goal.encode("utf-8")
    if len(raw_name) > 100 or not raw_name.isascii():
        records["path"] = raw_name.decode("utf-8")
    if len(raw_goal) > 100 or not raw_goal.isascii():
        records["linkpath"] = goal
    seconds, nanos = divmod(mtime_ns, _NANOS)
    if nanos or not 0 <= seconds <= _LARGEST_TIME:
        records["mtime"] = time_text(mtime_ns)
        seconds = min(max(seconds, 0), _LARGEST_TIME)
    if size > _LARGEST_SIZE:
        records["size"] = str(size)
    header = _ustar(kind, raw_name, mode, min(size, _LARGEST_SIZE), seconds, raw_goal)
    return _pax(records) + header if records else header


def _ustar(kind: bytes, name: bytes, mode: int, size: int, seconds: int, goal: bytes) -> bytes:
    fields = (
        name[:100],
        b"%07o" % mode,
        b"0000000",
        b"0000000",
        b"%011o" % size,
        b"%011o" % seconds,
        _NO_CHECKSUM,
        kind,
        goal[:100],
        b"ustar\x0000",
        b"",
        b"",
        b"0000000",
        b"0000000",
        b"",
    )
    block = _HEADER.pack(*fields)
    return b"%b%06o\0 %b" % (block[:148], sum(block), block[156:])


def _pax(records: Dict[str, str]) -> bytes:
    data = b"".join(_record(key, value) for key, value in records.items())
    return _ustar(PAX, b"@PaxHeader", 0o644, len(data), 0, b"") + data + padding(len(data))


def _record(key: str, value: str) -> bytes:
    """``LENGTH key=value``, where the length counts its own digits."""
    rest = b" %b=%b\n" % (key.encode("ascii"), value.encode("utf-8"))
    size = len(rest) + len(str(len(rest)))
    size = len(rest) + len(str(size))
    return b"%d%b" % (size, rest)
