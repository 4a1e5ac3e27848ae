"""What has to be done so that one directory becomes like another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Set

from ..models import FileEntry
from ..tree_models import SkippedEntry, SyncAction, SyncResult
from .ignore import Ignore
from .scan import LocalEntry

#: Milliseconds that two times may differ: each side rounds in its own way.
_TOLERANCE_MS = 1


@dataclass(frozen=True)
class Item:
    """An entry as it is compared."""

    type: str
    size: int
    mtime_ms: int
    mode: int
    #: Text of a symlink.
    goal: Optional[str] = None
    sha256: Optional[str] = None


@dataclass
class Side:
    """One of the two directories."""

    #: By relative path, a directory before what is in it.
    items: Dict[str, Item] = field(default_factory=dict)
    #: Directories with something below them that is left out of the comparison.
    guarded: Set[str] = field(default_factory=set)
    skipped: List[SkippedEntry] = field(default_factory=list)

    def leave_out(self, path: str) -> None:
        self.guarded.update(ancestors(path))


def ancestors(path: str) -> Iterator[str]:
    """Directories that a relative path runs through, the nearest first."""
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path


def local_item(entry: LocalEntry, goal: Optional[str] = None, sha256: Optional[str] = None) -> Item:
    status = entry.status
    size = status.st_size if entry.type == "file" else 0
    return Item(entry.type, size, status.st_mtime_ns // 1_000_000, entry.mode, goal, sha256)


class RemoteSide(Side):
    """The directory in the sandbox, taken in page by page."""

    def __init__(self, ignore: Ignore) -> None:
        super().__init__()
        #: Path in the sandbox that the entries lie below; empty until a page has come.
        self.root = ""
        self._ignore = ignore
        self._unnamed: Set[str] = set()
        self._ignored: Set[str] = set()

    def take(self, root: str, entries: List[FileEntry]) -> None:
        self.root = root
        prefix = root.rstrip("/") + "/"
        for entry in entries:
            path = entry.path[len(prefix) :]
            if entry.path.startswith(prefix) and path:
                self._take(path, entry)

    def _take(self, path: str, entry: FileEntry) -> None:
        if self._ignored and any(parent in self._ignored for parent in ancestors(path)):
            return
        below_unnamed = self._unnamed and any(each in self._unnamed for each in ancestors(path))
        if entry.name_bytes is not None or below_unnamed:
            self._unnamed.add(path)
            self.skipped.append(SkippedEntry(path, "its name is not UTF-8"))
            self.leave_out(path)
        elif self._ignore.matches(path, directory=entry.is_dir):
            self._ignored.add(path)
            self.leave_out(path)
        else:
            self.items[path] = _remote_item(entry)


def _remote_item(entry: FileEntry) -> Item:
    return Item(
        type=entry.type,
        size=entry.size if entry.type == "file" else 0,
        mtime_ms=round(entry.mod_time * 1000),
        mode=int(entry.permissions or "0", 8),
        goal=entry.symlink_target,
        sha256=entry.sha256,
    )


def compare(
    source: Side, target: Side, result: SyncResult, *, delete: bool, checksum: bool
) -> None:
    """Writes into ``result`` what is to be done, in the order in which it can be done: deletions
    come first."""
    result.skipped.extend(source.skipped)
    gone: List[SyncAction] = []
    done: List[SyncAction] = []
    replaced: Set[str] = set()
    for path, item in source.items.items():
        there = target.items.get(path)
        if item.type == "other":
            result.skipped.append(SkippedEntry(path, "it is no file, directory or symbolic link"))
        elif there is None:
            done.append(SyncAction("created", path, item.type, item.size))
        elif there.type == item.type:
            action = _difference(path, item, there, checksum)
            if action is None:
                result.unchanged += 1
            else:
                done.append(action)
        elif there.type == "directory" and (not delete or path in target.guarded):
            replaced.add(path)
            result.skipped.append(SkippedEntry(path, "a directory is in its place"))
        else:
            if there.type == "directory":
                replaced.add(path)
            done.append(SyncAction("replaced", path, item.type, item.size))
    if delete:
        gone.extend(_extra(source, target, replaced))
    result.actions = [*gone, *done]


def must_go_first(action: SyncAction) -> bool:
    """True when what is there cannot stay until something else takes its place."""
    return action.action in ("deleted", "replaced")


def _difference(path: str, item: Item, there: Item, checksum: bool) -> Optional[SyncAction]:
    changed = SyncAction("updated", path, item.type, item.size)
    if item.type == "symlink":
        return None if item.goal == there.goal else changed
    if item.type == "file":
        if item.size != there.size:
            return changed
        if checksum:
            if item.sha256 is None or item.sha256 != there.sha256:
                return changed
        elif abs(item.mtime_ms - there.mtime_ms) > _TOLERANCE_MS:
            return changed
    if item.mode & 0o777 == there.mode & 0o777:
        return None
    return SyncAction("updated", path, item.type, mode_only=True)


def _extra(source: Side, target: Side, whole: Set[str]) -> Iterator[SyncAction]:
    """What only the target has; of a directory that goes as a whole, only the directory.

    :param whole: directories below which nothing is to be removed one by one.
    """
    for path, there in target.items.items():
        if path in source.items or path in source.guarded or path in target.guarded:
            continue
        if any(parent in whole for parent in ancestors(path)):
            continue
        if there.type == "directory":
            whole.add(path)
        yield SyncAction("deleted", path, there.type)
