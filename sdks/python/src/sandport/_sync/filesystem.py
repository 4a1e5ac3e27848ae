"""Files of one sandbox."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Iterator, List, Optional, Tuple, Type

from .._local_file import AtomicFile, LocalPath, open_for_upload
from .._wire import files
from .._wire.body import Content, MemoryBody, make_body
from .._wire.call import RemotePath, Request
from ..errors import SandportError
from ..models import FileEntry, WriteResult
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
        """Bytes of the file; None before the stream is opened, or when it was not announced."""
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


class Filesystem:
    """Files of one sandbox. Paths are absolute paths inside it; symlinks are followed.

    Methods raise :class:`~sandport.NotFoundError` for a missing path, and other classes below
    :class:`~sandport.SandportError` with ``.path`` and ``.code``.
    """

    def __init__(self, transport: Transport, sandbox_id: str) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id

    def _path(self, path: RemotePath) -> RemotePath:
        """Where a path of the caller lies in the sandbox."""
        return path

    def read(self, path: RemotePath) -> bytes:
        """The whole file. For large ones use :meth:`read_stream` or :meth:`download`."""
        where = self._path(path)
        return files.checked(where, self._transport.send(files.read(self._sandbox_id, where)))

    def read_text(self, path: RemotePath, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole file as text."""
        return self.read(path).decode(encoding, errors)

    def read_stream(self, path: RemotePath) -> ByteStream:
        """The file piece by piece; memory does not grow with its size."""
        return ByteStream(self._transport, files.read(self._sandbox_id, self._path(path)))

    def write(
        self,
        path: RemotePath,
        content: Content,
        *,
        mode: Optional[int] = None,
    ) -> WriteResult:
        """Writes a file; readers see the whole old or the whole new one. Parents are made.

        :param content: text (sent as UTF-8), bytes, a file object in binary mode, or an iterable
            of bytes. The latter two are streamed.
        :param mode: permission bits of a new file, as ``0o755``; a file that is there keeps its.
        :raises DigestMismatchError: when the daemon stored other bytes than were sent.
        """
        body = make_body(content)
        request = files.write(
            self._sandbox_id,
            self._path(path),
            mode=mode,
            size=body.size,
            sha256=body.sha256 if isinstance(body, MemoryBody) else None,
        )
        answer = self._transport.send(request, body)
        return files.written(answer, body.taken_bytes, body.sha256)

    def upload(
        self, local_path: LocalPath, remote_path: RemotePath, *, mode: Optional[int] = None
    ) -> WriteResult:
        """Streams a local file into the sandbox."""
        with open_for_upload(local_path) as file:
            return self.write(remote_path, file, mode=mode)

    def download(
        self, remote_path: RemotePath, local_path: LocalPath, *, verify: bool = False
    ) -> None:
        """Streams a file to the local disk. Missing parents are made; the local file appears
        whole or not at all. Its length is checked, and up to 1 MiB its SHA-256.

        :param verify: compare the SHA-256 of larger files too. The daemon reads the file a second
            time for it, which makes the call up to twice as long.
        :raises DigestMismatchError: when the SHA-256 differs.
        :raises PreconditionFailedError: when the file changed between transfer and verification.
        """
        path = self._path(remote_path)
        request = files.read(self._sandbox_id, path)
        with AtomicFile(local_path) as local:
            with self._transport.stream(request) as answer:
                expected = files.announced_digest(answer.headers)
                if verify or expected is not None:
                    local.hash_contents()
                for chunk in answer:
                    local.write(chunk)
                local.expect_bytes(files.content_length(answer.headers))
                etag = answer.headers.get("etag")
            if verify and expected is None:
                stored = files.digest_of_stored(self._sandbox_id, path, etag)
                expected = self._transport.call(stored)
            if verify or expected is not None:
                files.check_download(str(path), local.sha256, expected)
            local.commit()

    def list(self, path: RemotePath = "/") -> List[FileEntry]:
        """Entries of a directory, sorted by name. Symlinks are entries of type ``symlink``."""
        return self._transport.call(files.list_directory(self._sandbox_id, self._path(path)))

    def stat(self, path: RemotePath, *, follow_symlinks: bool = True) -> FileEntry:
        """Type, size, times and owner of a path."""
        return self._transport.call(files.stat(self._sandbox_id, self._path(path), follow_symlinks))

    def exists(self, path: RemotePath) -> bool:
        """True when there is a file or directory; False for a symlink that points nowhere."""
        try:
            self.stat(path)
        except SandportError as error:
            if files.means_missing(error):
                return False
            raise
        return True

    def remove(
        self, path: RemotePath, *, recursive: bool = False, missing_ok: bool = False
    ) -> None:
        """Removes a file, a symlink (never its target) or a directory.

        :param recursive: with everything in it; otherwise a directory must be empty.
        """
        self._transport.call(
            files.remove(
                self._sandbox_id, self._path(path), recursive=recursive, missing_ok=missing_ok
            )
        )

    def make_directory(self, path: RemotePath) -> None:
        """Makes a directory and its parents; no error when it is there."""
        self._transport.call(files.make_directory(self._sandbox_id, self._path(path)))

    def walk(
        self, path: RemotePath = "/"
    ) -> Iterator[Tuple[str, List[FileEntry], List[FileEntry]]]:
        """``(directory, directories, others)`` for a directory and all below it, from the top.

        As with :func:`os.walk`, directories that are taken out of the second list are not entered.
        Symlinks are among the others. A directory that vanishes meanwhile is left out.
        """
        start = str(path)
        pending = [start]
        while pending:
            directory = pending.pop()
            try:
                entries = self.list(directory)
            except SandportError as error:
                if directory != start and files.means_missing(error):
                    continue
                raise
            directories = [entry for entry in entries if entry.type == "directory"]
            others = [entry for entry in entries if entry.type != "directory"]
            yield directory, directories, others
            pending.extend(entry.path for entry in reversed(directories))
