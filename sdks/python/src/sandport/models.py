"""What requests answer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

from ._values import base64_bytes, unix_seconds
from .network_models import Network


@dataclass(frozen=True)
class VolumeMount:
    """A volume to mount; it is made on first use and outlives the sandbox."""

    name: str
    #: Enforced by the kernel.
    read_only: bool = False
    #: Where it is mounted; None: at ``/mnt/{name}``.
    path: Optional[str] = None
    #: Most MiB that it holds, when it is made by this; None: no limit.
    size_mb: Optional[int] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> VolumeMount:
        return cls(
            str(data["name"]), bool(data.get("read_only")), data.get("path"), data.get("size_mb")
        )


@dataclass(frozen=True)
class SandboxInfo:
    """A sandbox as the daemon described it."""

    id: str
    template: str
    status: str
    isolation: str
    namespace: str
    name: Optional[str] = None
    #: Why the sandbox failed, or began afresh from its disk instead of its memory.
    status_reason: Optional[str] = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    #: Cores, fractions allowed.
    cpu: float = 0.0
    #: MiB.
    memory_mb: int = 0
    #: MiB; None: the disk of the host is the limit.
    disk_mb: Optional[int] = None
    #: Processes and threads at one time.
    pids: int = 0
    volumes: List[VolumeMount] = field(default_factory=list)
    network: Network = field(default_factory=Network)
    user: str = ""
    workdir: str = ""
    #: Seconds after creation at which the sandbox is deleted; 0: never.
    ttl_seconds: int = 0
    created_at: str = ""
    expires_at: Optional[str] = None
    #: True: ``ttl_seconds`` does not delete the sandbox.
    persistent: bool = False
    #: Seconds without a command or a transfer after which ``idle_action`` comes; 0: never.
    idle_timeout_seconds: int = 0
    #: ``hibernate`` or ``kill``.
    idle_action: str = "hibernate"
    #: Of a hibernated one: whether waking it gives its processes back.
    memory: Optional[bool] = None
    #: Sandbox that it was forked from.
    parent_id: Optional[str] = None
    #: Shared by the children of one fork.
    fork_tree_id: Optional[str] = None
    #: Id of the snapshot that it was made from.
    from_snapshot: Optional[str] = None
    #: How its processes began: ``cold``, ``pool``, ``memory`` or ``disk``.
    boot_mode: str = ""
    #: Milliseconds from the request to a sandbox that takes commands.
    boot_ms: float = 0.0
    #: The answer as it came.
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> SandboxInfo:
        resources: Mapping[str, Any] = data.get("resources") or {}
        return cls(
            id=str(data["id"]),
            template=str(data.get("template", "")),
            status=str(data.get("status", "")),
            isolation=str(data.get("isolation", "")),
            namespace=str(data.get("namespace", "default")),
            name=data.get("name"),
            status_reason=data.get("status_reason"),
            metadata=dict(data.get("metadata") or {}),
            env=dict(data.get("env") or {}),
            cpu=float(resources.get("cpu", data.get("cpu", 0))),
            memory_mb=int(resources.get("memory_mb", data.get("memory_mb", 0))),
            disk_mb=resources.get("disk_mb"),
            pids=int(resources.get("pids", 0)),
            volumes=[VolumeMount.from_wire(item) for item in data.get("volumes") or []],
            network=Network.from_wire(data.get("network") or {}),
            user=str(data.get("user", "")),
            workdir=str(data.get("workdir", "")),
            ttl_seconds=int(data.get("ttl_seconds", 0)),
            created_at=str(data.get("created_at", "")),
            expires_at=data.get("expires_at"),
            persistent=bool(data.get("persistent", False)),
            idle_timeout_seconds=int(data.get("idle_timeout_seconds", 0)),
            idle_action=str(data.get("idle_action", "hibernate")),
            memory=data.get("memory"),
            parent_id=data.get("parent_id"),
            fork_tree_id=data.get("fork_tree_id"),
            from_snapshot=data.get("from_snapshot"),
            boot_mode=str(data.get("boot_mode", "")),
            boot_ms=float(data.get("boot_ms", 0)),
            raw=dict(data),
        )


@dataclass(frozen=True)
class FileEntry:
    """One entry of a directory, or the answer of ``stat``."""

    #: Name without its directory. Bytes that are not UTF-8 come as U+FFFD.
    name: str
    #: Absolute path in the sandbox.
    path: str
    #: ``file``, ``directory``, ``symlink`` or ``other``.
    type: str
    #: Bytes.
    size: int
    is_dir: bool
    #: Letter of the type: f, d, l, p, s, c or b.
    mode: str
    #: Permission bits in octal, as ``0644``.
    permissions: str
    #: Owner inside the sandbox.
    uid: int
    gid: int
    #: Last change of the contents: seconds since 1970, to the millisecond.
    mod_time: float
    #: Text of the link, when it is one.
    symlink_target: Optional[str] = None
    #: The name as bytes, when it is not UTF-8. Such a file can be listed, not opened.
    name_bytes: Optional[bytes] = None
    #: Validator of a regular file, for ``if_match``; ``stat`` gives it, listings do not.
    etag: Optional[str] = None
    #: SHA-256 of a regular file in hex, where it was asked for.
    sha256: Optional[str] = None

    @property
    def mtime(self) -> int:
        """Last change of the contents in whole seconds since 1970."""
        return int(self.mod_time // 1)

    @property
    def modified(self) -> datetime:
        """Last change of the contents, in UTC."""
        return datetime.fromtimestamp(self.mod_time, timezone.utc)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> FileEntry:
        encoded = data.get("name_base64")
        is_dir = bool(data.get("is_dir", False))
        return cls(
            name=str(data["name"]),
            path=str(data["path"]),
            type=str(data.get("type") or ("directory" if is_dir else "file")),
            size=int(data.get("size", 0)),
            is_dir=is_dir,
            mode=str(data.get("mode", "")),
            permissions=str(data.get("permissions", "")),
            uid=int(data.get("uid", 0)),
            gid=int(data.get("gid", 0)),
            mod_time=unix_seconds(data.get("modified_at"), data.get("mtime")),
            symlink_target=data.get("symlink_target"),
            name_bytes=base64_bytes(encoded) if isinstance(encoded, str) else None,
            etag=data.get("etag"),
            sha256=data.get("sha256"),
        )


class WriteResult(Dict[str, Any]):
    """``{"path": ..., "bytes": ...}``; both are attributes too."""

    #: Validator of the contents that were written, quoted as in HTTP; None if unknown.
    etag: Optional[str]
    #: Bytes that the file has now; more than were written after an append.
    size: int
    #: How a hibernated sandbox came back for the write, as of :class:`ExecResult`; else None.
    woke: Optional[str]

    def __init__(
        self,
        path: str,
        written: int,
        etag: Optional[str] = None,
        size: Optional[int] = None,
        woke: Optional[str] = None,
    ) -> None:
        super().__init__(path=path, bytes=written)
        self.etag = etag
        self.woke = woke
        self.size = written if size is None else size

    @property
    def path(self) -> str:
        """Absolute path that was written."""
        return str(self["path"])

    @property
    def bytes(self) -> int:
        """Bytes written."""
        return int(self["bytes"])


@dataclass(frozen=True)
class ExecResult:
    """What a command gave. Output that is not UTF-8 holds U+FFFD."""

    stdout: str
    stderr: str
    #: Exit code, or 128 + number of the signal that ended it.
    exit_code: int
    #: Name of the signal that ended it, as ``SIGKILL``.
    signal: Optional[str] = None
    #: True when the time limit ended it.
    timed_out: bool = False
    #: True when the memory limit ended it.
    oom_killed: bool = False
    #: True when output was cut at the limit.
    truncated: bool = False
    duration_ms: float = 0.0
    #: When the sandbox was hibernated: ``memory`` if it came back with its processes, ``disk`` if
    #: it began afresh; else None.
    woke: Optional[str] = None

    @property
    def ok(self) -> bool:
        """True for exit code 0."""
        return self.exit_code == 0

    @classmethod
    def from_wire(
        cls,
        data: Mapping[str, Any],
        *,
        stdout: Optional[str] = None,
        stderr: Optional[str] = None,
        woke: Optional[str] = None,
    ) -> ExecResult:
        return cls(
            stdout=str(data.get("stdout", "")) if stdout is None else stdout,
            stderr=str(data.get("stderr", "")) if stderr is None else stderr,
            exit_code=int(data["exit_code"]),
            signal=data.get("signal"),
            timed_out=bool(data.get("timed_out", False)),
            oom_killed=bool(data.get("oom_killed", False)),
            truncated=bool(data.get("truncated", False)),
            duration_ms=float(data.get("duration_ms", 0)),
            woke=woke,
        )
