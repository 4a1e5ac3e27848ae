"""Reading and writing one file."""

from __future__ import annotations

from typing import Optional

from .._local_file import LocalPath
from .._progress import Progress
from .._transfers.download import download
from .._transfers.upload import upload
from .._values import Moment
from .._wire import files
from .._wire.body import Content, MemoryBody, make_body
from .._wire.call import RemotePath
from .._wire.files import ByteRange, WriteOptions
from ..file_models import FileContents, ProgressCallback, RetryCallback
from ..models import WriteResult
from .byte_stream import ByteStream
from .files_base import FilesBase


class FileContentsMethods(FilesBase):
    def read(
        self,
        path: RemotePath,
        *,
        start: Optional[int] = None,
        end: Optional[int] = None,
        last: Optional[int] = None,
    ) -> bytes:
        """The whole file, or some bytes of it. For large ones use :meth:`read_stream` or
        :meth:`download`.

        :param start: first byte. :param end: byte after the last one, as in a slice.
        :param last: only so many bytes at the end of the file.
        :raises BadRequestError: ``range_not_satisfiable`` when the file ends before ``start``.
        """
        where = self._path(path)
        request = files.read(self._owner, where, ByteRange(start, end, last))
        return files.checked(where, self._transport.send(request))

    def read_bytes(
        self,
        path: RemotePath,
        *,
        start: Optional[int] = None,
        end: Optional[int] = None,
        last: Optional[int] = None,
    ) -> bytes:
        """The same as :meth:`read`."""
        return self.read(path, start=start, end=end, last=last)

    def read_text(self, path: RemotePath, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole file as text."""
        return self.read(path).decode(encoding, errors)

    def read_if_changed(self, path: RemotePath, etag: str) -> Optional[FileContents]:
        """The whole file with its validator, or None when it still has this one.

        :param etag: of an earlier read, write or stat.
        """
        call = files.read_if_changed(self._owner, self._path(path), etag)
        return self._call(call)

    def read_stream(
        self,
        path: RemotePath,
        *,
        start: Optional[int] = None,
        end: Optional[int] = None,
        last: Optional[int] = None,
    ) -> ByteStream:
        """The file piece by piece; memory does not grow with its size. The range is that of
        :meth:`read`."""
        wanted = ByteRange(start, end, last)
        request = files.read(self._owner, self._path(path), wanted)
        return ByteStream(self._transport, request)

    def stream(
        self,
        path: RemotePath,
        *,
        start: Optional[int] = None,
        end: Optional[int] = None,
        last: Optional[int] = None,
    ) -> ByteStream:
        """The same as :meth:`read_stream`."""
        return self.read_stream(path, start=start, end=end, last=last)

    def write(
        self,
        path: RemotePath,
        content: Content,
        *,
        mode: Optional[int] = None,
        uid: Optional[int] = None,
        gid: Optional[int] = None,
        mtime: Optional[Moment] = None,
        append: bool = False,
        offset: Optional[int] = None,
        if_match: Optional[str] = None,
        if_none_match: Optional[str] = None,
        sync: bool = False,
        create_parents: bool = True,
    ) -> WriteResult:
        """Writes a file; readers see the whole old or the whole new one. Parents are made.

        :param content: text (sent as UTF-8), bytes, a file object in binary mode, or an iterable
            of bytes. The latter two are streamed.
        :param mode: permission bits, as ``0o755``; otherwise a file that is there keeps its, and a
            new one has ``0o644``. ``uid`` and ``gid`` likewise.
        :param mtime: seconds since 1970, or a datetime; now when left out.
        :param append: add to the end of the file. :param offset: put it at this place into it.
        :param if_match: write only over the file with this etag.
        :param if_none_match: ``"*"``: write only where nothing is.
        :param sync: return only when the disk has the file.
        :raises PreconditionFailedError: when a condition is not met.
        :raises DigestMismatchError: when the daemon stored other bytes than were sent.
        """
        options = WriteOptions(
            mode, uid, gid, mtime, append, offset, if_match, if_none_match, sync, create_parents
        )
        body = make_body(content)
        request = files.write(
            self._owner,
            self._path(path),
            options,
            size=body.size,
            sha256=body.sha256 if isinstance(body, MemoryBody) else None,
        )
        answer = self._transport.send(request, body)
        return files.written(answer, body.taken_bytes, body.sha256)

    def upload(
        self,
        local_path: LocalPath,
        remote_path: RemotePath,
        *,
        mode: Optional[int] = None,
        mtime: Optional[Moment] = None,
        preserve: bool = False,
        if_match: Optional[str] = None,
        if_none_match: Optional[str] = None,
        on_progress: Optional[ProgressCallback] = None,
        on_retry: Optional[RetryCallback] = None,
    ) -> WriteResult:
        """Streams a local file into the sandbox. Above 64 MiB it goes in parts, and a connection
        that breaks or a daemon that restarts does not start it over.

        :param preserve: give the file the mode and the mtime of the local one.
        :param if_match: see :meth:`write`; ``if_none_match`` likewise.
        :param on_retry: called before an interrupted upload goes on; what it raises ends it.
        :raises LocalFileError: when the local file changes meanwhile.
        """
        options = WriteOptions(
            mode=mode, mtime=mtime, if_match=if_match, if_none_match=if_none_match
        )
        where, progress = self._path(remote_path), Progress(on_progress, on_retry)
        return self._run(
            upload(self._owner, local_path, where, options, progress, preserve=preserve)
        )

    def download(
        self,
        remote_path: RemotePath,
        local_path: LocalPath,
        *,
        verify: bool = False,
        on_progress: Optional[ProgressCallback] = None,
        on_retry: Optional[RetryCallback] = None,
    ) -> None:
        """Streams a file to the local disk. Missing parents are made; the local file appears
        whole or not at all. Its length is checked, and up to 1 MiB its SHA-256. A connection that
        breaks is made again, and the rest fetched.

        :param verify: compare the SHA-256 of larger files too. The daemon reads the file a second
            time for it, which makes the call up to twice as long.
        :param on_retry: called before an interrupted download goes on, also in other threads of
            this call; what it raises ends it.
        :raises DigestMismatchError: when the SHA-256 differs.
        :raises PreconditionFailedError: when the file changed meanwhile.
        """
        where, progress = self._path(remote_path), Progress(on_progress, on_retry)
        self._run(download(self._owner, where, local_path, progress, verify=verify))
