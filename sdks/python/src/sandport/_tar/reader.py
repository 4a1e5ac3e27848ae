"""Reads tar archives that somebody hostile may have made.

Takes ustar, PAX and the long names of GNU tar, a piece at a time, and keeps no more than one
header in memory. Everything that is not exactly as it should be is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Final, Optional, Protocol

from ..errors import SandportError, make_error
from .header import BLOCK, DIRECTORY, FILE, HARD_LINK, SYMLINK

#: Longest extended header; a path has 4,095 bytes at most.
MAX_EXTENDED_BYTES: Final = 256 * 1024
#: Extended headers before one entry.
MAX_EXTENDED: Final = 8
#: Bytes after the end of the archive: GNU tar fills its last record.
MAX_TRAILING_BYTES: Final = 1024 * 1024

_EXTENDED: Final = (b"x", b"g", b"L", b"K")
_KINDS: Final = {b"\0": FILE, b"0": FILE, b"1": HARD_LINK, b"2": SYMLINK, b"5": DIRECTORY}
_TIME: Final = re.compile(rb"^(-?)(\d{1,15})(?:\.(\d{1,30}))?$")
_NANOS: Final = 1_000_000_000
_LARGEST_SIZE: Final = 2**63 - 1


@dataclass(frozen=True)
class TarEntry:
    #: One of FILE, HARD_LINK, SYMLINK and DIRECTORY, or the letter of something else.
    kind: bytes
    name: bytes
    goal: bytes
    size: int
    mode: int
    mtime_ns: int


class TarHandler(Protocol):
    def start(self, entry: TarEntry) -> None: ...
    def data(self, piece: memoryview) -> None: ...
    def end(self) -> None: ...


class TarReader:
    def __init__(self, handler: TarHandler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        #: Bytes of contents and of padding still to come.
        self._contents = 0
        self._padding = 0
        #: Letter of the extended header that is being read.
        self._extended: Optional[bytes] = None
        self._extended_count = 0
        self._records: Dict[bytes, bytes] = {}
        self._in_entry = False
        self._empty_blocks = 0
        self._trailing = 0

    def feed(self, piece: bytes) -> None:
        """:raises SandportError: ``invalid_archive``; and what the handler raises."""
        view = memoryview(piece)
        while view:
            if self._empty_blocks >= 2:
                self._after_end(len(view))
                return
            if self._in_entry and self._contents > 0:
                part = view[: self._contents]
                self._handler.data(part)
                self._contents -= len(part)
                view = view[len(part) :]
                self._end_entry()
                continue
            if self._padding > 0 and not self._in_entry:
                count = min(self._padding, len(view))
                self._padding -= count
                view = view[count:]
                continue
            wanted = self._contents if self._extended is not None else BLOCK
            count = min(wanted - len(self._buffer), len(view))
            if not self._buffer and count == wanted:
                block = bytes(view[:count])
            else:
                self._buffer += view[:count]
                block = bytes(self._buffer) if len(self._buffer) == wanted else b""
            view = view[count:]
            if block:
                self._buffer.clear()
                self._block(block)

    def finish(self) -> None:
        """:raises SandportError: ``invalid_archive`` when the end is missing."""
        if self._empty_blocks < 2:
            raise invalid("it ends before its end mark")

    def _after_end(self, count: int) -> None:
        self._trailing += count
        if self._trailing > MAX_TRAILING_BYTES:
            raise invalid("much follows its end mark")

    def _block(self, block: bytes) -> None:
        if self._extended is not None:
            kind, self._extended = self._extended, None
            self._padding = -self._contents % BLOCK
            self._contents = 0
            self._take_extended(kind, block)
            return
        if not block.strip(b"\0"):
            self._empty_blocks += 1
            return
        if self._empty_blocks:
            raise invalid("an empty block stands between its entries")
        self._header(block)

    def _header(self, block: bytes) -> None:
        _check_sum(block)
        kind, size = block[156:157], _number(block[124:136])
        if kind in _EXTENDED:
            self._extended_count += 1
            if not 0 < size <= MAX_EXTENDED_BYTES or self._extended_count > MAX_EXTENDED:
                raise invalid(f"an extended header of {size} bytes is not taken")
            self._extended, self._contents = kind, size
            return
        entry = self._entry(block, kind, size)
        self._records = {}
        self._extended_count = 0
        self._in_entry = True
        self._contents = entry.size
        self._padding = -entry.size % BLOCK
        self._handler.start(entry)
        self._end_entry()

    def _end_entry(self) -> None:
        if self._contents == 0:
            self._in_entry = False
            self._handler.end()

    def _entry(self, block: bytes, kind: bytes, size: int) -> TarEntry:
        records = self._records
        name = block[:100].split(b"\0", 1)[0]
        if block[257:263] == b"ustar\0":
            prefix = block[345:500].split(b"\0", 1)[0]
            name = prefix + b"/" + name if prefix else name
        if any(key.startswith(b"GNU.sparse.") for key in records):
            kind = b"S"
        if b"size" in records:
            if not (records[b"size"].isdigit() and len(records[b"size"]) < 20):
                raise invalid("a size is no number")
            size = int(records[b"size"])
        if size > _LARGEST_SIZE:
            raise invalid("a size is too large")
        known = _KINDS.get(kind, kind)
        name = records.get(b"path", name)
        if known == FILE and kind == b"\0" and name.endswith(b"/"):
            known = DIRECTORY  # As archives older than ustar write it.
        if known != FILE and size:
            if known in (HARD_LINK, SYMLINK, DIRECTORY):
                raise invalid("an entry without contents says that it has some")
            size = 0  # The handler refuses it.
        return TarEntry(
            kind=known,
            name=name,
            goal=records.get(b"linkpath", block[157:257].split(b"\0", 1)[0]),
            size=size,
            mode=_number(block[100:108]) & 0o7777,
            mtime_ns=_time(records[b"mtime"])
            if b"mtime" in records
            else _number(block[136:148], signed=True) * _NANOS,
        )

    def _take_extended(self, kind: bytes, data: bytes) -> None:
        if kind == b"L":
            self._records[b"path"] = data.rstrip(b"\0")
        elif kind == b"K":
            self._records[b"linkpath"] = data.rstrip(b"\0")
        else:
            records = _records(data)
            if kind == b"x":
                self._records.update(records)
            elif records.keys() & {b"path", b"linkpath", b"size"}:
                raise invalid("a global header names one entry")


def invalid(why: str) -> SandportError:
    return make_error(f"The archive is damaged: {why}.", code="invalid_archive")


def _records(data: bytes) -> Dict[bytes, bytes]:
    """Records ``LENGTH key=value`` of a PAX header."""
    found: Dict[bytes, bytes] = {}
    place = 0
    while place < len(data):
        space = data.find(b" ", place, place + 20)
        digits = data[place:space]
        if space < 0 or not digits.isdigit():
            raise invalid("a PAX record has no length")
        end = place + int(digits)
        key, sign, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space + 1 or end > len(data) or not sign or data[end - 1 : end] != b"\n":
            raise invalid("a PAX record is cut")
        found[key] = value
        place = end
    return found


def _check_sum(block: bytes) -> None:
    stored = block[148:156]
    real = sum(block) - sum(stored) + 8 * 0x20
    if _number(stored) != real:
        raise invalid("a header has another checksum than it says")


def _number(field: bytes, *, signed: bool = False) -> int:
    """Octal digits, or after a first byte of 0x80 or 0xff a binary number, as GNU tar writes."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    if field[0] == 0xFF and signed:
        return int.from_bytes(field, "big", signed=True)
    digits = field.strip(b" \0")
    if not digits:
        return 0
    try:
        value = int(digits, 8) if digits.isdigit() else -1
    except ValueError:
        value = -1
    if value < 0:
        raise invalid("a header holds a number that is none")
    return value


def _time(text: bytes) -> int:
    match = _TIME.match(text)
    if match is None:
        raise invalid("a time is no number")
    sign, seconds, fraction = match.groups()
    nanos = int(seconds) * _NANOS + int((fraction or b"0").ljust(9, b"0")[:9])
    return -nanos if sign else nanos
