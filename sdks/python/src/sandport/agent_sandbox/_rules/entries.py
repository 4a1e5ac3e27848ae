"""Entries of directories."""

from __future__ import annotations

from typing import Iterable, List

from ...models import FileEntry as NativeEntry
from ..models import FileEntry


def is_link(entry: NativeEntry) -> bool:
    return entry.type == "symlink"


def file_entries(entries: Iterable[NativeEntry]) -> List[FileEntry]:
    """Files and directories; there is nothing else in this API. A symlink is what it points at,
    and left out when it points nowhere."""
    return [
        FileEntry(
            name=entry.name,
            size=entry.size,
            type=entry.type,
            modified=entry.modified,
            mode=entry.permissions or None,
            mod_time=entry.mod_time,
        )
        for entry in entries
        if entry.type in ("file", "directory")
    ]
