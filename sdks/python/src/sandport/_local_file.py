"""Local files of transfers: downloads appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
import stat
from types import TracebackType
from typing import Optional, Tuple, Type, Union

from .errors import LocalFileError

LocalPath = Union[str, "os.PathLike[str]"]

#: Bytes read at a time.
READ_BYTES = 1024 * 1024


def open_for_upload(path: LocalPath) -> io.FileIO:
    """A local file as it is on the disk, without a buffer that would copy its bytes once more."""
    return open(path, "rb", buffering=0)


class Stamp:
    """What a local file was like when its transfer began."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._first = self._look()

    def _look(self) -> Tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    @property
    def size(self) -> int:
        return self._first[0]

    def check(self) -> None:
        """:raises LocalFileError: when the file has changed."""
        if self._look() != self._first:
            name = str(self._file.name)
            raise LocalFileError(
                f"{name} changed while it was sent. Send it again when it is complete.", name
            )


class AtomicFile:
    """A temporary file beside the target, which takes the target's place on :meth:`commit`.

    Missing parent directories are made. A target that is there keeps its permission bits; of a
    symlink the file it points at is replaced. Leaving the block without a commit removes the
    temporary file. Pieces may be written in any order and from several threads.
    """

    def __init__(self, path: LocalPath) -> None:
        self._target = os.path.realpath(os.fspath(path))
        if os.path.isdir(self._target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        self._temporary: Optional[str] = None
        self._descriptor = -1

    def __enter__(self) -> AtomicFile:
        return self

    def open(self) -> None:
        """Makes the temporary file; to be called inside of the block."""
        parent = os.path.dirname(self._target)
        os.makedirs(parent, exist_ok=True)
        temporary = os.path.join(parent, f".sandport-{secrets.token_hex(8)}.part")
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(temporary, flags, 0o666)
        self._temporary = temporary

    def write_at(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            count = _write_at(self._descriptor, view, offset)
            view = view[count:]
            offset += count

    def sha256(self) -> bytes:
        """Of what was written, read again from the start."""
        digest = hashlib.sha256()
        offset = 0
        while True:
            data = read_at(self._descriptor, READ_BYTES, offset)
            if not data:
                return digest.digest()
            digest.update(data)
            offset += len(data)

    def commit(self) -> None:
        """Puts the file in its place."""
        assert self._temporary is not None
        self._close()
        with contextlib.suppress(FileNotFoundError):
            os.chmod(self._temporary, stat.S_IMODE(os.stat(self._target).st_mode))
        os.replace(self._temporary, self._target)
        self._temporary = None

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self._temporary is None:
            return
        with contextlib.suppress(OSError):  # What could not be written is thrown away anyway.
            self._close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)
        self._temporary = None


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Some bytes of a file, at most ``size``; its position may move."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def _write_at(descriptor: int, data: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, offset)
    # Without pwrite pieces come from one thread only: see `parallel` in the download.
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, data)
