"""Whole directories."""

from __future__ import annotations

from typing import Optional, Sequence

from .._local_file import LocalPath
from .._progress import Progress
from .._transfers.sync import SyncOptions, sync_dir
from .._transfers.trees import TreeOptions, download_dir, upload_dir
from .._tree.extract import MAX_BYTES, MAX_ENTRIES, ExtractLimits
from .._tree.ignore import IGNORE_FILE
from .._wire.call import RemotePath
from ..file_models import ProgressCallback
from ..tree_models import SyncResult, TreeResult
from .files_base import FilesBase


class FileTreeMethods(FilesBase):
    def upload_dir(
        self,
        local_path: LocalPath,
        remote_path: RemotePath,
        *,
        ignore: Optional[Sequence[str]] = None,
        ignore_file: Optional[str] = IGNORE_FILE,
        compression: str = "none",
        on_progress: Optional[ProgressCallback] = None,
    ) -> TreeResult:
        """Puts what is in a local directory into one of the sandbox, in one request. Keeps modes,
        mtimes, symlinks, hard links and empty directories; files that are there and not in the
        local directory stay. Every file is atomic, the whole is not.

        :param ignore: rules in the syntax of .gitignore.
        :param ignore_file: file in the local directory with more of them, if it is there.
        :param compression: ``gzip`` is worth it on slow networks only.
        :raises LocalFileError: when a file changes while it is sent.
        """
        options = TreeOptions(ignore, ignore_file, compression)
        where, progress = self._path(remote_path), Progress(on_progress)
        return self._run(upload_dir(self._owner, local_path, where, options, progress))

    def download_dir(
        self,
        remote_path: RemotePath,
        local_path: LocalPath,
        *,
        ignore: Optional[Sequence[str]] = None,
        exclude: Optional[Sequence[str]] = None,
        compression: str = "none",
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        unsafe_links: str = "skip",
        on_progress: Optional[ProgressCallback] = None,
    ) -> TreeResult:
        """Puts what is in a directory of the sandbox into a local one, in one request. Nothing
        outside of the local directory can be touched: what would is refused. Owners and the bits
        setuid, setgid and sticky are not kept. Every file is atomic, the whole is not.

        :param ignore: rules in the syntax of .gitignore, applied here.
        :param exclude: globs, applied by the daemon: what they match is not sent.
        :param max_entries: refuse to unpack more. :param max_bytes: likewise, bytes of contents.
        :param unsafe_links: symlinks that may lead outside: ``skip`` them and name them in the
            result, ``error``, or ``keep`` them.
        :raises BadRequestError: ``unsafe_archive`` or ``invalid_archive``.
        :raises TooLargeError: when a limit is reached.
        """
        options = TreeOptions(ignore, None, compression)
        limits = ExtractLimits(max_entries, max_bytes, unsafe_links)
        where, progress = self._path(remote_path), Progress(on_progress)
        return self._run(
            download_dir(self._owner, where, local_path, options, exclude, limits, progress)
        )

    def sync_dir(
        self,
        local_path: LocalPath,
        remote_path: RemotePath,
        *,
        direction: str = "up",
        delete: bool = False,
        checksum: bool = False,
        dry_run: bool = False,
        ignore: Optional[Sequence[str]] = None,
        ignore_file: Optional[str] = IGNORE_FILE,
        on_progress: Optional[ProgressCallback] = None,
    ) -> SyncResult:
        """Makes one directory like the other and transfers only what differs: by type, size,
        mtime to the millisecond, mode and text of symlinks.

        :param direction: ``up`` into the sandbox, ``down`` out of it.
        :param delete: remove what the source does not have; what is ignored stays.
        :param checksum: compare the SHA-256 of files instead of their mtime.
        :param dry_run: only tell what would be done.
        :param ignore: rules in the syntax of .gitignore, for both sides.
        """
        options = SyncOptions(direction, delete, checksum, dry_run, ignore, ignore_file)
        where, progress = self._path(remote_path), Progress(on_progress)
        return self._run(sync_dir(self._owner, local_path, where, options, progress))
