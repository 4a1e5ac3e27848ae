"""Requests about what is at a path: listing, describing and changing entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Generic, List, Optional, TypeVar, Union

from .._values import Moment, mode_text, nanoseconds, time_text
from ..errors import SandportError
from ..file_models import DiskUsage, FileChange
from ..models import FileEntry
from .call import Answer, Call, RemotePath, Request, flag, ignore, json_request, remote_path
from .owner import FilesOwner

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    #: What was listed, as the daemon names it.
    path: str
    items: List[T]
    #: Where the next page begins; None for the last one.
    cursor: Optional[str]


@dataclass(frozen=True)
class Listing:
    """What to list."""

    path: RemotePath
    recursive: bool = False
    depth: Optional[int] = None
    glob: Optional[str] = None
    hidden: bool = True
    type: Optional[str] = None
    checksum: bool = False
    #: Entries of one page; None: as many as the daemon gives at once.
    page_size: Optional[int] = None


def list_page(owner: FilesOwner, listing: Listing, cursor: Optional[str]) -> Call[Page[FileEntry]]:
    query = {
        "path": remote_path(listing.path),
        "recursive": flag(True) if listing.recursive else None,
        "depth": _text(listing.depth),
        "glob": listing.glob,
        "hidden": None if listing.hidden else flag(False),
        "type": listing.type,
        "checksum": "sha-256" if listing.checksum else None,
        "limit": _text(listing.page_size),
        "cursor": cursor,
    }
    request = _get(owner, "dir", query)
    return Call(request, lambda answer: _page(answer, "entries", FileEntry.from_wire))


def changes_page(
    owner: FilesOwner, path: RemotePath, page_size: Optional[int], cursor: Optional[str]
) -> Call[Page[FileChange]]:
    query = {"path": remote_path(path), "limit": _text(page_size), "cursor": cursor}
    request = _get(owner, "changes", query)
    return Call(request, lambda answer: _page(answer, "changes", FileChange.from_wire))


def stat(owner: FilesOwner, path: RemotePath, follow_symlinks: bool = True) -> Call[FileEntry]:
    query = {
        "path": remote_path(path),
        "follow_symlinks": None if follow_symlinks else flag(False),
    }
    return Call(Request("GET", owner.target("fs", "stat", query=query)), _entry)


def disk_usage(owner: FilesOwner, path: RemotePath) -> Call[DiskUsage]:
    request = _get(owner, "du", {"path": remote_path(path)})
    return Call(request, lambda answer: DiskUsage.from_wire(answer.json_object()))


def remove(owner: FilesOwner, path: RemotePath, *, recursive: bool, missing_ok: bool) -> Call[None]:
    query = {
        "path": remote_path(path),
        "recursive": flag(recursive),
        "must_exist": flag(not missing_ok),
    }
    where = owner.target("fs", query=query)
    return Call(Request("DELETE", where, read_timeout="forever"), ignore)


def make_directory(owner: FilesOwner, path: RemotePath, mode: Optional[int]) -> Call[None]:
    query = {"path": remote_path(path), "mode": mode_text(mode)}
    where = owner.target("fs", "mkdir", query=query)
    return Call(Request("POST", where), ignore)


def move(
    owner: FilesOwner, source: RemotePath, destination: RemotePath, overwrite: bool
) -> Call[FileEntry]:
    return Call(_post(owner, "move", _transfer(source, destination, overwrite)), _entry)


def copy(
    owner: FilesOwner, source: RemotePath, destination: RemotePath, overwrite: bool
) -> Call[FileEntry]:
    return Call(_post(owner, "copy", _transfer(source, destination, overwrite)), _entry)


def chmod(owner: FilesOwner, path: RemotePath, mode: int, recursive: bool) -> Call[int]:
    body = {"path": remote_path(path), "mode": mode_text(mode), "recursive": recursive}
    return Call(_post(owner, "chmod", body), _changed)


def chown(
    owner: FilesOwner,
    path: RemotePath,
    user: Union[int, str, None],
    group: Union[int, str, None],
    recursive: bool,
    follow_symlinks: bool,
) -> Call[int]:
    body: Dict[str, Any] = {
        "path": remote_path(path),
        "recursive": recursive,
        "follow_symlinks": follow_symlinks,
    }
    if user is not None:
        body["user"] = user
    if group is not None:
        body["group"] = group
    return Call(_post(owner, "chown", body), _changed)


def symlink(
    owner: FilesOwner, path: RemotePath, goal: RemotePath, overwrite: bool
) -> Call[FileEntry]:
    body = {"path": remote_path(path), "target": remote_path(goal), "overwrite": overwrite}
    return Call(_post(owner, "symlink", body), _entry)


def touch(
    owner: FilesOwner, path: RemotePath, mtime: Optional[Moment], create: bool
) -> Call[FileEntry]:
    body: Dict[str, Any] = {"path": remote_path(path), "create": create}
    if mtime is not None:
        body["mtime"] = time_text(nanoseconds(mtime))
    return Call(_post(owner, "touch", body), _entry)


def means_missing(error: SandportError) -> bool:
    """True when the error says that nothing can be at the path, as ``os.path.exists`` sees it."""
    return error.code in ("file_not_found", "not_a_directory", "symlink_loop")


def _transfer(source: RemotePath, destination: RemotePath, overwrite: bool) -> Dict[str, Any]:
    return {
        "from": remote_path(source),
        "to": remote_path(destination),
        "overwrite": overwrite,
    }


def _get(owner: FilesOwner, what: str, query: Dict[str, Optional[str]]) -> Request:
    # The daemon is silent while it walks through a large tree.
    where = owner.target("fs", what, query=query)
    return Request("GET", where, read_timeout="forever")


def _post(owner: FilesOwner, what: str, body: Dict[str, Any]) -> Request:
    return json_request("POST", owner.target("fs", what), body, "forever")


def _text(value: Optional[int]) -> Optional[str]:
    return None if value is None else str(value)


def _page(answer: Answer, name: str, parse: Any) -> Page[Any]:
    body = answer.json_object()
    cursor = body.get("cursor") if body.get("truncated") else None
    return Page(str(body.get("path", "")), [parse(item) for item in body.get(name) or []], cursor)


def _entry(answer: Answer) -> FileEntry:
    return FileEntry.from_wire(answer.json_object())


def _changed(answer: Answer) -> int:
    return int(answer.json_object()["changed"])
