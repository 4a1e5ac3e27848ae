"""Looking into files."""

from __future__ import annotations

from typing import Optional, Sequence

from .._wire import search
from .._wire.call import RemotePath
from ..file_models import ReplaceResult, SearchResult
from .files_base import AsyncFilesBase


class AsyncFileSearchMethods(AsyncFilesBase):
    async def search(
        self,
        pattern: str,
        path: RemotePath = "/workspace",
        *,
        regex: bool = False,
        case_sensitive: bool = True,
        include: Optional[Sequence[str]] = None,
        exclude: Optional[Sequence[str]] = None,
        hidden: bool = True,
        max_matches: Optional[int] = None,
        context_lines: int = 0,
    ) -> SearchResult:
        """Lines that hold a text, in a file or in all files below a directory. Binary files are
        skipped.

        :param regex: ``pattern`` is a regular expression in RE2 syntax.
        :param include: globs, relative to ``path``: only files that one of them matches.
        :param exclude: globs of files and directories to leave out.
        :param max_matches: up to 10,000; 1,000 when left out.
        :param context_lines: lines before and after each match, up to 10.
        """
        chosen = search.selection(
            pattern,
            self._path(path),
            regex=regex,
            case_sensitive=case_sensitive,
            include=include,
            exclude=exclude,
            hidden=hidden,
        )
        return await self._call(search.search(self._owner, chosen, max_matches, context_lines))

    async def replace(
        self,
        pattern: str,
        replacement: str,
        path: RemotePath = "/workspace",
        *,
        regex: bool = False,
        case_sensitive: bool = True,
        include: Optional[Sequence[str]] = None,
        exclude: Optional[Sequence[str]] = None,
        hidden: bool = True,
        dry_run: bool = False,
    ) -> ReplaceResult:
        """Replaces a text in files, atomically in each; the selection is that of :meth:`search`.

        :param replacement: with ``regex``, ``$1`` and ``${name}`` stand for groups, ``$$`` for a
            dollar sign.
        :param dry_run: only tell what would change.
        """
        chosen = search.selection(
            pattern,
            self._path(path),
            regex=regex,
            case_sensitive=case_sensitive,
            include=include,
            exclude=exclude,
            hidden=hidden,
        )
        return await self._call(search.replace(self._owner, chosen, replacement, dry_run))
