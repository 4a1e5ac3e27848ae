"""What transfers of whole directories answer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List


@dataclass(frozen=True)
class SkippedEntry:
    """An entry that was left out, and why, in one sentence."""

    #: Relative to the directory.
    path: str
    reason: str


@dataclass
class TreeResult:
    """What a transfer of a directory moved."""

    files: int = 0
    directories: int = 0
    symlinks: int = 0
    hard_links: int = 0
    #: Bytes of file contents.
    bytes: int = 0
    skipped: List[SkippedEntry] = field(default_factory=list)


@dataclass(frozen=True)
class SyncAction:
    """One thing that a sync does, or would do."""

    #: ``created``, ``updated``, ``replaced`` (something of another type goes first) or ``deleted``.
    action: str
    #: Relative to the directory.
    path: str
    #: ``file``, ``directory`` or ``symlink``; of what is deleted also ``other``.
    type: str
    #: Bytes of contents that move.
    bytes: int = 0
    #: True when only the permission bits differ.
    mode_only: bool = False


@dataclass
class SyncResult:
    """What a sync did, or with ``dry_run`` would do."""

    dry_run: bool
    actions: List[SyncAction] = field(default_factory=list)
    #: Entries that were the same on both sides.
    unchanged: int = 0
    skipped: List[SkippedEntry] = field(default_factory=list)

    @property
    def created(self) -> int:
        return self._count("created")

    @property
    def updated(self) -> int:
        """With those that were replaced."""
        return self._count("updated") + self._count("replaced")

    @property
    def deleted(self) -> int:
        return self._count("deleted")

    @property
    def bytes(self) -> int:
        """Bytes of contents that moved."""
        return sum(action.bytes for action in self.actions)

    def _count(self, kind: str) -> int:
        return sum(action.action == kind for action in self.actions)
