"""Files of a sandbox."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any, BinaryIO, Optional, Protocol, Union

from ..._sync.filesystem import Filesystem as NativeFilesystem
from ..._wire.entries import means_missing
from ...errors import SandportError
from ...models import FileEntry as NativeEntry
from .._rules import entries, paths, streams
from ..connector import SandboxConnector
from ..models import FileEntry


class BinaryWriter(Protocol):
    """What bytes can be written to."""

    def write(self, content: bytes, /) -> int: ...


class Filesystem:
    """Files of one sandbox. Absolute paths are absolute; relative ones start at the home directory,
    ``/home/user``.

    ``timeout`` is the time without a byte after which a call is given up, in seconds.
    """

    def __init__(
        self, connector: SandboxConnector, tracer: Any = None, trace_service_name: str = ""
    ) -> None:
        self.connector = connector

    def write(
        self,
        path: str,
        content: Union[bytes, str, BinaryIO],
        timeout: float = 60,
        allow_unsafe_paths: bool = False,
    ) -> None:
        """Writes a file; readers see the whole old or the whole new one. Parents are made.

        :param content: text (as UTF-8), bytes, or a file object in binary mode, which is streamed
            from its position.
        :raises ValueError: for a path that names no file.
        """
        streams.check_content(content)
        checked = paths.checked(path, allow_unsafe_paths)
        with self.connector.place(f"{path} could not be written") as place:
            files = self.connector.files(place, timeout)
            files.write(place.path(checked), content)

    def read(self, path: str, timeout: float = 60, allow_unsafe_paths: bool = False) -> bytes:
        """The whole file. For large ones use :meth:`read_to`.

        :raises SandboxRequestError: with status 404 when there is no such file.
        """
        checked = paths.checked(path, allow_unsafe_paths)
        with self.connector.place(f"{path} could not be read") as place:
            files = self.connector.files(place, timeout)
            return files.read(place.path(checked))

    def read_to(
        self,
        path: str,
        destination: BinaryWriter,
        timeout: float = 60,
        allow_unsafe_paths: bool = False,
        max_bytes: Optional[int] = None,
    ) -> int:
        """Streams a file to where the caller says; memory does not grow with its size.

        :param destination: is not closed; what was written to it before an error stays.
        :param max_bytes: the most that is written.
        :returns: bytes written.
        :raises RuntimeError: when the file holds more than ``max_bytes``.
        """
        streams.check_destination(destination, max_bytes)
        checked = paths.checked(path, allow_unsafe_paths)
        total = 0
        with self.connector.place(f"{path} could not be read") as place:
            files = self.connector.files(place, timeout)
            with files.read_stream(place.path(checked)) as stream:
                streams.check_size(stream.size, max_bytes)
                for chunk in stream:
                    room = len(chunk) if max_bytes is None else max_bytes - total
                    total += _write_all(destination, chunk[:room])
                    if room < len(chunk):
                        raise streams.too_large(max_bytes or 0)
        return total

    def list(self, path: str, timeout: float = 60) -> builtins.list[FileEntry]:
        """Files and directories in a directory, sorted by name. A symlink is listed as what it
        points at, and left out when it points nowhere.

        :raises SandboxRequestError: with status 404 when there is no such directory.
        """
        with self.connector.place(f"{path} could not be listed") as place:
            files = self.connector.files(place, timeout)
            return entries.file_entries(
                _followed(files, entry) if entries.is_link(entry) else entry
                for entry in files.list(place.path(path))
            )

    def exists(self, path: str, timeout: float = 60) -> bool:
        """True when there is a file or a directory."""
        with self.connector.place(f"{path} could not be looked for") as place:
            files = self.connector.files(place, timeout)
            return files.exists(place.path(path))

    def delete(self, path: str, recursive: bool = False, timeout: float = 60) -> None:
        """Removes a file or a directory.

        :param recursive: with everything in it; otherwise a directory must be empty.
        :raises SandboxRequestError: with status 404 when there is nothing, 409 when a directory is
            not empty.
        """
        if path == "":
            raise ValueError("the path is empty")
        with self.connector.place(f"{path} could not be deleted") as place:
            files = self.connector.files(place, timeout)
            files.remove(place.path(path), recursive=recursive)


def _followed(files: NativeFilesystem, link: NativeEntry) -> NativeEntry:
    """What a symlink points at, under its own name; the link itself when that is nothing."""
    try:
        return replace(files.stat(link.path), name=link.name)
    except SandportError as error:
        if means_missing(error):
            return link
        raise


def _write_all(destination: BinaryWriter, chunk: bytes) -> int:
    rest = memoryview(chunk)
    while rest:
        rest = rest[streams.accepted(destination.write(bytes(rest)), len(rest)) :]
    return len(chunk)
