"""Downloads into local files: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
import stat
from types import TracebackType
from typing import IO, Iterable, Optional, Type, Union

from .errors import NetworkError

LocalPath = Union[str, "os.PathLike[str]"]

#: Bytes gathered before each write to the disk.
BUFFER_BYTES = 1024 * 1024


def open_for_upload(path: LocalPath) -> io.FileIO:
    """A local file as it is on the disk, without a buffer that would copy its bytes once more."""
    return open(path, "rb", buffering=0)


class AtomicFile:
    """A temporary file beside the target, which takes the target's place on :meth:`commit`.

    Missing parent directories are made. A target that is there keeps its permission bits; of a
    symlink the file it points at is replaced. Leaving the block without a commit removes the
    temporary file.
    """

    def __init__(self, path: LocalPath) -> None:
        self._target = os.path.realpath(os.fspath(path))
        if os.path.isdir(self._target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        self._hash: Optional[hashlib._Hash] = None
        self.received_bytes = 0
        self._temporary: Optional[str] = None
        self._file: Optional[IO[bytes]] = None

    def __enter__(self) -> AtomicFile:
        parent = os.path.dirname(self._target)
        os.makedirs(parent, exist_ok=True)
        temporary = os.path.join(parent, f".sandport-{secrets.token_hex(8)}.part")
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o666)
        self._temporary = temporary
        self._file = os.fdopen(descriptor, "wb", buffering=BUFFER_BYTES)
        return self

    def hash_contents(self) -> None:
        """Makes :attr:`sha256` known; to be called before the first write."""
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        assert self._file is not None
        self._file.write(chunk)
        self.received_bytes += len(chunk)
        if self._hash is not None:
            self._hash.update(chunk)

    def write_all(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self.write(chunk)

    @property
    def sha256(self) -> bytes:
        """Of what was written since :meth:`hash_contents`."""
        assert self._hash is not None
        return self._hash.digest()

    def expect_bytes(self, announced: Optional[int]) -> None:
        """:raises NetworkError: when another number of bytes arrived than was announced."""
        if announced is not None and announced != self.received_bytes:
            raise NetworkError(
                f"{self.received_bytes} bytes arrived of {announced}.", code="network_error"
            )

    def commit(self) -> None:
        """Puts the file in its place."""
        assert self._file is not None
        assert self._temporary is not None
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.chmod(self._temporary, stat.S_IMODE(os.stat(self._target).st_mode))
        os.replace(self._temporary, self._target)
        self._temporary = None

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self._temporary is None:
            return
        if self._file is not None:
            with contextlib.suppress(OSError):  # What could not be flushed is thrown away anyway.
                self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temporary)
        self._temporary = None
