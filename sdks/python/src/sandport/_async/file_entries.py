"""Listing, describing and changing entries."""

from __future__ import annotations

from typing import AsyncIterator, List, Optional, Tuple, Union

from .._values import Moment
from .._wire import entries
from .._wire.call import RemotePath
from .._wire.entries import Listing
from ..errors import SandportError
from ..file_models import DiskUsage, FileChange
from ..models import FileEntry
from .files_base import AsyncFilesBase

#: Entries that :meth:`AsyncFileEntryMethods.entries` asks for at a time.
PAGE_ENTRIES = 20_000


class AsyncFileEntryMethods(AsyncFilesBase):
    async def list(
        self,
        path: RemotePath = "/",
        *,
        recursive: bool = False,
        depth: Optional[int] = None,
        glob: Optional[str] = None,
        hidden: bool = True,
        type: Optional[str] = None,
        checksum: bool = False,
    ) -> List[FileEntry]:
        """Entries of a directory, sorted by name. Symlinks are entries of type ``symlink``.

        :param recursive: also what is below, a directory before what is in it.
        :param depth: with ``recursive``: how many levels.
        :param glob: only entries whose path below ``path`` matches; see :meth:`glob`.
        :param hidden: False: without names that begin with a dot, and what is below them.
        :param type: only ``file``, ``directory``, ``symlink`` or ``other``.
        :param checksum: with the SHA-256 of every file, as ``.sha256``.
        """
        where = self._path(path)
        pages = self._pages(Listing(where, recursive, depth, glob, hidden, type, checksum, None))
        return [entry async for entry in pages]

    def entries(
        self,
        path: RemotePath = "/",
        *,
        recursive: bool = True,
        depth: Optional[int] = None,
        glob: Optional[str] = None,
        hidden: bool = True,
        type: Optional[str] = None,
        checksum: bool = False,
    ) -> AsyncIterator[FileEntry]:
        """As :meth:`list`, of any number of entries: memory does not grow with them."""
        where = self._path(path)
        return self._pages(
            Listing(where, recursive, depth, glob, hidden, type, checksum, PAGE_ENTRIES)
        )

    async def _pages(self, listing: Listing) -> AsyncIterator[FileEntry]:
        cursor: Optional[str] = None
        while True:
            page = await self._call(entries.list_page(self._owner, listing, cursor))
            for entry in page.items:
                yield entry
            cursor = page.cursor
            if cursor is None:
                return

    async def glob(self, pattern: str, path: RemotePath = "/") -> List[FileEntry]:
        """Entries at and below a directory whose path below it matches.

        :param pattern: ``*``, ``?``, ``[a-z]``, ``{a,b}``, and ``**`` for any directories. One
            without a slash is compared with names.
        """
        listing = Listing(self._path(path), recursive=True, glob=pattern)
        return [entry async for entry in self._pages(listing)]

    async def stat(self, path: RemotePath, *, follow_symlinks: bool = True) -> FileEntry:
        """Type, size, times, owner and validator of a path."""
        return await self._call(entries.stat(self._owner, self._path(path), follow_symlinks))

    async def exists(self, path: RemotePath) -> bool:
        """True when there is a file or directory; False for a symlink that points nowhere."""
        try:
            await self.stat(path)
        except SandportError as error:
            if entries.means_missing(error):
                return False
            raise
        return True

    async def remove(
        self, path: RemotePath, *, recursive: bool = False, missing_ok: bool = False
    ) -> None:
        """Removes a file, a symlink (never its target) or a directory.

        :param recursive: with everything in it; otherwise a directory must be empty.
        """
        await self._call(
            entries.remove(
                self._owner, self._path(path), recursive=recursive, missing_ok=missing_ok
            )
        )

    async def make_directory(self, path: RemotePath, *, mode: Optional[int] = None) -> None:
        """Makes a directory and its parents; no error when it is there.

        :param mode: permission bits of new directories; ``0o755``.
        """
        await self._call(entries.make_directory(self._owner, self._path(path), mode))

    async def move(
        self, source: RemotePath, destination: RemotePath, *, overwrite: bool = False
    ) -> FileEntry:
        """Renames or moves a file, a symlink itself, or a directory; parents are made.

        :param destination: the whole new path, never a directory to move into.
        :param overwrite: replace what is there; else it is a :class:`~sandport.ConflictError`.
        """
        here, there = self._path(source), self._path(destination)
        return await self._call(entries.move(self._owner, here, there, overwrite))

    async def copy(
        self, source: RemotePath, destination: RemotePath, *, overwrite: bool = False
    ) -> FileEntry:
        """Copies a file, or a directory to where nothing is, with modes, owners and times.

        :param overwrite: replace what is there; else it is a :class:`~sandport.ConflictError`.
        """
        here, there = self._path(source), self._path(destination)
        return await self._call(entries.copy(self._owner, here, there, overwrite))

    async def chmod(self, path: RemotePath, mode: int, *, recursive: bool = False) -> int:
        """Sets permission bits, as ``0o755``; gives how many entries were changed."""
        return await self._call(entries.chmod(self._owner, self._path(path), mode, recursive))

    async def chown(
        self,
        path: RemotePath,
        user: Union[int, str, None] = None,
        group: Union[int, str, None] = None,
        *,
        recursive: bool = False,
        follow_symlinks: bool = True,
    ) -> int:
        """Sets owner and group, each an id or a name in the sandbox; gives how many entries were
        changed.

        :param follow_symlinks: False: of a symlink itself.
        """
        where = self._path(path)
        return await self._call(
            entries.chown(self._owner, where, user, group, recursive, follow_symlinks)
        )

    async def symlink(
        self, path: RemotePath, target: RemotePath, *, overwrite: bool = False
    ) -> FileEntry:
        """Makes a symlink at ``path`` with the text ``target``; parents are made."""
        return await self._call(entries.symlink(self._owner, self._path(path), target, overwrite))

    async def touch(
        self, path: RemotePath, *, mtime: Optional[Moment] = None, create: bool = True
    ) -> FileEntry:
        """Sets the time of the last change.

        :param mtime: seconds since 1970, or a datetime; now when left out.
        :param create: make an empty file when nothing is there.
        """
        return await self._call(entries.touch(self._owner, self._path(path), mtime, create))

    async def disk_usage(self, path: RemotePath = "/") -> DiskUsage:
        """How much a file or a directory tree holds."""
        return await self._call(entries.disk_usage(self._owner, self._path(path)))

    async def changes(self, path: RemotePath = "/") -> List[FileChange]:
        """What differs between the sandbox and its template, at and below a path. Of a deleted
        directory only the directory itself; volumes are not part of it."""
        found: List[FileChange] = []
        cursor: Optional[str] = None
        while True:
            where = self._path(path)
            page = await self._call(entries.changes_page(self._owner, where, None, cursor))
            found.extend(page.items)
            cursor = page.cursor
            if cursor is None:
                return found

    async def walk(
        self, path: RemotePath = "/"
    ) -> AsyncIterator[Tuple[str, List[FileEntry], List[FileEntry]]]:
        """``(directory, directories, others)`` for a directory and all below it, from the top.

        As with :func:`os.walk`, directories that are taken out of the second list are not entered.
        Symlinks are among the others. A directory that vanishes meanwhile is left out.
        """
        start = str(path)
        pending = [start]
        while pending:
            directory = pending.pop()
            try:
                found = await self.list(directory)
            except SandportError as error:
                if directory != start and entries.means_missing(error):
                    continue
                raise
            directories = [entry for entry in found if entry.type == "directory"]
            others = [entry for entry in found if entry.type != "directory"]
            yield directory, directories, others
            pending.extend(entry.path for entry in reversed(directories))
