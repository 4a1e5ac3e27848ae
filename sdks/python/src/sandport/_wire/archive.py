"""Requests for whole directories as tar streams."""

from __future__ import annotations

from typing import Optional, Sequence
from urllib.parse import quote

from .call import RemotePath, Request, remote_path
from .owner import FilesOwner

#: How archives of these names for ``compression`` are called by the daemon.
FORMATS = {"none": "tar", "gzip": "tar.gz"}


def download(
    owner: FilesOwner, path: RemotePath, compression: str, exclude: Optional[Sequence[str]]
) -> Request:
    if isinstance(exclude, str):
        raise TypeError("exclude must be a list of globs, not one string")
    if compression not in FORMATS:
        raise ValueError(f"compression must be 'none' or 'gzip', not {compression!r}")
    name = FORMATS[compression]
    query = {"path": remote_path(path), "format": None if compression == "none" else name}
    where = owner.target("fs", "archive", query=query)
    for glob in exclude or ():
        where += f"&exclude={quote(glob, safe='')}"
    return Request("GET", where)


def upload(
    owner: FilesOwner,
    path: RemotePath,
    max_entries: Optional[int] = None,
    max_bytes: Optional[int] = None,
) -> Request:
    """A PUT without its body."""
    query = {
        "path": remote_path(path),
        "max_entries": None if max_entries is None else str(max_entries),
        "max_bytes": None if max_bytes is None else str(max_bytes),
    }
    where = owner.target("fs", "archive", query=query)
    return Request("PUT", where, {"Content-Type": "application/x-tar"})
