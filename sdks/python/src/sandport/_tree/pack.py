"""Makes a tar stream of local entries."""

from __future__ import annotations

import os
import zlib
from typing import Dict, Iterable, Iterator, List, Tuple

from .._progress import Progress
from .._tar.header import DIRECTORY, END, FILE, HARD_LINK, SYMLINK, entry_header, padding
from ..errors import LocalFileError
from ..tree_models import TreeResult
from .scan import LocalEntry

#: Bytes gathered before they are sent.
GATHER_BYTES = 256 * 1024
#: Bytes read from a file at a time.
READ_BYTES = 1024 * 1024
#: Level of gzip: higher ones take longer than most networks.
GZIP_LEVEL = 1

_READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def packed(
    root: str,
    entries: Iterable[LocalEntry],
    result: TreeResult,
    progress: Progress,
    compression: str = "none",
) -> Iterator[bytes]:
    """Chunks of the archive; what went into it is counted in ``result``.

    :raises LocalFileError: when a file changes while it is read.
    """
    chunks = _gathered(_pieces(root, entries, result, progress))
    if compression == "none":
        return chunks
    if compression == "gzip":
        return _compressed(chunks)
    raise ValueError(f"compression must be 'none' or 'gzip', not {compression!r}")


def _pieces(
    root: str, entries: Iterable[LocalEntry], result: TreeResult, progress: Progress
) -> Iterator[bytes]:
    seen: Dict[Tuple[int, int], str] = {}
    for entry in entries:
        status, local = entry.status, os.path.join(root, entry.path)
        if entry.type == "directory":
            result.directories += 1
            yield entry_header(DIRECTORY, entry.path, mode=entry.mode, mtime_ns=status.st_mtime_ns)
        elif entry.type == "symlink":
            result.symlinks += 1
            yield entry_header(
                SYMLINK, entry.path, mode=0o777, mtime_ns=status.st_mtime_ns, goal=_goal(local)
            )
        else:
            identity = (status.st_dev, status.st_ino)
            first = seen.get(identity) if status.st_nlink > 1 else None
            if first is not None:
                result.hard_links += 1
                yield entry_header(HARD_LINK, entry.path, mode=entry.mode, goal=first)
                continue
            if status.st_nlink > 1:
                seen[identity] = entry.path
            yield from _file(local, entry, result, progress)
            result.files += 1
            progress.add(0, 1)
    yield END


def _file(local: str, entry: LocalEntry, result: TreeResult, progress: Progress) -> Iterator[bytes]:
    descriptor = os.open(local, _READ_FLAGS)
    try:
        status = os.fstat(descriptor)
        size = status.st_size
        if status.st_ino != entry.status.st_ino:
            raise _changed(local)
        yield entry_header(
            FILE, entry.path, mode=entry.mode, size=size, mtime_ns=status.st_mtime_ns
        )
        left = size
        while left > 0:
            data = os.read(descriptor, min(left, READ_BYTES))
            if not data:
                raise _changed(local)
            left -= len(data)
            progress.add(len(data))
            result.bytes += len(data)
            yield data
        after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) != (size, status.st_mtime_ns):
            raise _changed(local)
    finally:
        os.close(descriptor)
    if size % 512:
        yield padding(size)


def _changed(local: str) -> LocalFileError:
    return LocalFileError(
        f"{local} changed while it was sent. Send the directory again when nobody writes to it.",
        local,
    )


def _goal(local: str) -> str:
    goal = os.readlink(local)
    try:
        goal.encode("utf-8")
    except UnicodeEncodeError as cause:
        shown = local.encode("utf-8", "backslashreplace").decode("utf-8")
        raise LocalFileError(
            f"The text of the symbolic link {shown} is not valid UTF-8.", shown
        ) from cause
    return goal


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    kept: List[bytes] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size >= GATHER_BYTES:
            yield kept[0] if len(kept) == 1 else b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)


def _compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
    for chunk in chunks:
        data = packer.compress(chunk)
        if data:
            yield data
    yield packer.flush()
