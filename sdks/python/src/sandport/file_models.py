"""What requests about files answer with, beside :class:`~sandport.FileEntry`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, List, Mapping, Optional, Union

from ._error_base import SandportError
from ._values import unix_seconds

Content = bytes


@dataclass(frozen=True)
class TransferProgress:
    """How far a transfer is."""

    #: Bytes of contents that have gone or come.
    bytes: int
    #: Bytes in all; None when it is not known.
    total_bytes: Optional[int]
    #: Files that are complete.
    files: int


#: Called often while a transfer goes on; for the asynchronous client on the event loop.
ProgressCallback = Callable[[TransferProgress], None]


@dataclass(frozen=True)
class TransferRetry:
    """An interrupted transfer that is about to be taken up again."""

    #: What interrupted it.
    error: SandportError
    #: Seconds until the next try.
    delay_seconds: float


#: Called before an interrupted transfer goes on; what it raises ends the transfer.
RetryCallback = Callable[[TransferRetry], None]


@dataclass(frozen=True)
class FileContents:
    """A whole file with its validator."""

    content: bytes
    #: For ``read_if_changed`` and ``if_match``, quoted as in HTTP; None if unknown.
    etag: Optional[str]


@dataclass(frozen=True)
class FileWrite:
    """One file of :meth:`Filesystem.write_files`."""

    #: Absolute path in the sandbox.
    path: str
    #: Text is written as UTF-8. At most 16 MiB.
    content: Union[str, bytes]
    #: Permission bits, as ``0o755``.
    mode: Optional[int] = None
    uid: Optional[int] = None
    gid: Optional[int] = None
    #: Seconds since 1970.
    mtime: Optional[float] = None
    #: Write only over the file with this validator.
    if_match: Optional[str] = None
    #: ``*``: write only where nothing is.
    if_none_match: Optional[str] = None


@dataclass(frozen=True)
class FileResult:
    """What became of one file of a batch."""

    path: str
    #: None when it worked.
    error: Optional[SandportError] = None
    #: Bytes written, or bytes that the file has.
    bytes: int = 0
    etag: Optional[str] = None
    #: Contents, of a file that was read.
    content: Optional[Content] = None
    #: Permission bits in octal and last change in seconds since 1970, of a file that was read.
    permissions: Optional[str] = None
    mod_time: Optional[float] = None

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class DiskUsage:
    """How much a file or a directory tree holds."""

    path: str
    files: int
    #: Those below the path.
    directories: int
    symlinks: int
    others: int
    #: Sum of the lengths of regular files; hard links count once.
    size_bytes: int
    #: What the tree takes on the disk.
    disk_bytes: int

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> DiskUsage:
        names = ("files", "directories", "symlinks", "others", "size_bytes", "disk_bytes")
        return cls(str(data["path"]), *(int(data[name]) for name in names))


@dataclass(frozen=True)
class FileChange:
    """One difference between a sandbox and its template."""

    path: str
    #: ``added``, ``modified`` or ``deleted``.
    change: str
    #: ``file``, ``directory``, ``symlink`` or ``other``.
    type: str
    #: Bytes; of what is deleted, bytes in the template.
    size: int
    #: Bytes in the template, of what is modified.
    previous_size: Optional[int] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> FileChange:
        return cls(
            path=str(data["path"]),
            change=str(data["change"]),
            type=str(data["type"]),
            size=int(data["size"]),
            previous_size=data.get("previous_size"),
        )


@dataclass(frozen=True)
class SkippedFiles:
    """Files that search or replace did not look into, by reason."""

    binary: int = 0
    too_large: int = 0
    unreadable: int = 0

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> SkippedFiles:
        return cls(*(int(data.get(name, 0)) for name in ("binary", "too_large", "unreadable")))


@dataclass(frozen=True)
class SearchMatch:
    path: str
    #: From 1.
    line: int
    #: From 1, in characters.
    column: int
    #: The line, cut to 1,000 characters around the match.
    text: str
    before: List[str] = field(default_factory=list)
    after: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class SearchResult:
    #: One a line that matches, in tree order.
    matches: List[SearchMatch]
    #: True when there may be more.
    truncated: bool
    files_searched: int
    files_skipped: SkippedFiles

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> SearchResult:
        matches = [
            SearchMatch(
                path=str(item["path"]),
                line=int(item["line"]),
                column=int(item["column"]),
                text=str(item["text"]),
                before=[str(line) for line in item.get("before") or []],
                after=[str(line) for line in item.get("after") or []],
            )
            for item in data["matches"]
        ]
        skipped = SkippedFiles.from_wire(data.get("files_skipped") or {})
        return cls(matches, bool(data["truncated"]), int(data["files_searched"]), skipped)


@dataclass(frozen=True)
class ReplacedFile:
    path: str
    replacements: int
    #: Why this file was not changed; None when it was.
    error: Optional[str] = None
    code: Optional[str] = None


@dataclass(frozen=True)
class ReplaceResult:
    #: Files in which the pattern occurs.
    files: List[ReplacedFile]
    files_changed: int
    replacements: int
    #: True when not all files were looked at.
    truncated: bool
    files_skipped: SkippedFiles

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> ReplaceResult:
        files = [
            ReplacedFile(
                str(item["path"]), int(item["replacements"]), item.get("error"), item.get("code")
            )
            for item in data["files"]
        ]
        skipped = SkippedFiles.from_wire(data.get("files_skipped") or {})
        changed, replacements = int(data["files_changed"]), int(data["replacements"])
        return cls(files, changed, replacements, bool(data["truncated"]), skipped)


@dataclass(frozen=True)
class WatchEvent:
    """Something that happened in a directory that is watched."""

    #: ``created``, ``modified``, ``removed``, ``renamed``, or ``resync``: events were lost, list
    #: again what is needed.
    type: str
    #: Empty for ``resync``.
    path: str = ""
    #: ``file``, ``directory``, ``symlink`` or ``other``; None when it is not known any more.
    file_type: Optional[str] = None
    #: Path before, of what was renamed.
    old_path: Optional[str] = None
    #: Of ``resync``: ``overflow``, ``too_many_directories`` or ``slow_client``.
    reason: Optional[str] = None


@dataclass(frozen=True)
class Link:
    """An address under which one file can be had, or written, without a key."""

    id: str
    sandbox_id: str
    path: str
    #: ``GET`` downloads, ``PUT`` uploads.
    method: str
    #: Seconds since 1970.
    created_at: float
    expires_at: float
    #: Largest upload in bytes; None: no limit.
    max_bytes: Optional[int] = None
    #: The address; only in the answer to a new link.
    url: Optional[str] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any], url: Optional[str] = None) -> Link:
        return cls(
            id=str(data["id"]),
            sandbox_id=str(data["sandbox_id"]),
            path=str(data["path"]),
            method=str(data["method"]),
            created_at=unix_seconds(data.get("created_at"), 0),
            expires_at=unix_seconds(data.get("expires_at"), 0),
            max_bytes=data.get("max_bytes"),
            url=url,
        )
