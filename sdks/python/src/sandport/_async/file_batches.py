"""Many files in one request, and links to single ones."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .._transfers.batches import read_files, write_files
from .._wire import batch, links
from .._wire.batch import EACH, FileSpec
from .._wire.call import RemotePath
from ..file_models import FileResult, Link
from .files_base import AsyncFilesBase


class AsyncFileBatchMethods(AsyncFilesBase):
    async def write_files(self, files: Sequence[FileSpec], *, mode: str = EACH) -> List[FileResult]:
        """Writes many files of up to 16 MiB each, in as few requests as it takes.

        :param files: each ``(path, content)`` or a :class:`~sandport.FileWrite`.
        :param mode: ``each``: what fails does not stop the rest, and has ``.error`` in its result;
            ``all``: no file appears unless all can be written, at most 10,000.
        :raises ConflictError: ``batch_failed``, with ``all``.
        """
        return await self._run(write_files(self._owner, files, mode, self._path))

    async def read_files(
        self, paths: Sequence[RemotePath], *, mode: str = EACH
    ) -> List[FileResult]:
        """Reads many files of up to 16 MiB each; ``.content`` of each result has the bytes.

        :param mode: ``each`` or ``all``, as for :meth:`write_files`.
        """
        where = [self._path(path) for path in paths]
        return await self._run(read_files(self._owner, where, mode))

    async def remove_files(
        self, paths: Sequence[RemotePath], *, recursive: bool = True, missing_ok: bool = True
    ) -> List[FileResult]:
        """Removes many files, symlinks and directories; what fails does not stop the rest."""
        where = [self._path(path) for path in paths]
        results: List[FileResult] = []
        for group in batch.groups(where, EACH):
            call = batch.remove(self._owner, group, recursive, missing_ok)
            removed: List[FileResult] = await self._call(call)
            results.extend(removed)
        return results

    async def create_link(
        self,
        path: RemotePath,
        *,
        method: str = "GET",
        expires_in: int = 3600,
        max_bytes: Optional[int] = None,
    ) -> Link:
        """An address under which one file can be had without a key, by curl or a browser.

        :param method: ``GET`` downloads, ``PUT`` uploads.
        :param expires_in: seconds, up to 7 days.
        :param max_bytes: largest upload.
        """
        where = self._path(path)
        return await self._call(links.create(self._owner, where, method, expires_in, max_bytes))

    async def list_links(self) -> List[Link]:
        """Links that still work, without their addresses."""
        return await self._call(links.list_all(self._owner))

    async def revoke_link(self, link_id: str) -> None:
        """Makes a link useless.

        :param link_id: ``.id`` of the link.
        """
        await self._call(links.revoke(self._owner, link_id))
