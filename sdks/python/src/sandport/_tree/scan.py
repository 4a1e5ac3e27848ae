"""Walks through a local directory."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Callable, Iterator, List

from .ignore import Ignore

#: Called with the relative path of what is left out, and why.
SkipCallback = Callable[[str, str], None]
#: Called with the relative path of what a rule leaves out.
IgnoredCallback = Callable[[str], None]


@dataclass(frozen=True)
class LocalEntry:
    #: Relative to the directory, with slashes.
    path: str
    #: ``file``, ``directory`` or ``symlink``.
    type: str
    status: os.stat_result

    @property
    def mode(self) -> int:
        return stat.S_IMODE(self.status.st_mode)


def walk(
    directory: str,
    ignore: Ignore,
    skip: SkipCallback,
    ignored: IgnoredCallback = lambda _path: None,
) -> Iterator[LocalEntry]:
    """All below a directory: sorted by name, a directory before what is in it. Symlinks are not
    followed. What can be neither sent nor made is skipped.

    :raises OSError: for a directory that cannot be read.
    """
    pending: List[LocalEntry] = []
    _push(directory, "", ignore, skip, ignored, pending)
    while pending:
        entry = pending.pop()
        yield entry
        if entry.type == "directory":
            _push(directory, entry.path, ignore, skip, ignored, pending)


def _push(
    root: str,
    below: str,
    ignore: Ignore,
    skip: SkipCallback,
    ignored: IgnoredCallback,
    pending: List[LocalEntry],
) -> None:
    found: List[LocalEntry] = []
    with os.scandir(os.path.join(root, below) if below else root) as listing:
        for item in listing:
            path = f"{below}/{item.name}" if below else item.name
            status = item.stat(follow_symlinks=False)
            kind = _type(status.st_mode)
            if ignore.matches(path, directory=kind == "directory"):
                ignored(path)
                continue
            if not _is_utf8(item.name):
                skip(os.fsencode(path).decode("utf-8", "replace"), "its name is not UTF-8")
                continue
            if kind == "other":
                skip(path, "it is neither a file nor a directory nor a symbolic link")
                continue
            found.append(LocalEntry(path, kind, status))
    found.sort(key=lambda entry: entry.path.encode("utf-8"), reverse=True)
    pending.extend(found)


def _type(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "symlink" if stat.S_ISLNK(mode) else "other"


def _is_utf8(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
