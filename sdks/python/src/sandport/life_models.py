"""What requests about the life of a sandbox answer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, Generic, List, Mapping, Optional, Sequence, TypeVar, Union, overload

from ._values import unix_seconds
from .models import SandboxInfo

S = TypeVar("S")


@dataclass(frozen=True)
class Lifecycle:
    """How long a sandbox stays."""

    #: 0: no end.
    ttl_seconds: int
    #: True: ``ttl_seconds`` does not delete the sandbox.
    persistent: bool
    #: Seconds without a command or a transfer after which ``idle_action`` comes; 0: never.
    idle_timeout_seconds: int
    #: ``hibernate`` or ``kill``.
    idle_action: str
    #: Since the last command or transfer ended; 0 while one runs.
    idle_seconds: float
    expires_at: Optional[str] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Lifecycle:
        return cls(
            ttl_seconds=int(data["ttl_seconds"]),
            persistent=bool(data["persistent"]),
            idle_timeout_seconds=int(data.get("idle_timeout_seconds", 0)),
            idle_action=str(data.get("idle_action", "hibernate")),
            idle_seconds=float(data.get("idle_seconds", 0)),
            expires_at=data.get("expires_at"),
        )


@dataclass(frozen=True)
class WakeResult:
    """What waking or restoring a sandbox meant."""

    #: False: it was running already.
    woken: bool
    #: True: its processes and their memory are what they were.
    memory: bool
    info: SandboxInfo = field(repr=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> WakeResult:
        # Of a sandbox that runs, `memory` is no property of its own.
        own = {key: value for key, value in data.items() if key not in ("woken", "memory")}
        return cls(bool(data["woken"]), bool(data["memory"]), SandboxInfo.from_wire(own))


@dataclass(frozen=True)
class ForkFailure:
    """A child that could not be made."""

    index: int
    #: One sentence.
    error: str
    #: Of the error table.
    code: str


@dataclass(frozen=True)
class ForkTree(Sequence[S], Generic[S]):
    """Copies of a sandbox that were made at one moment of it. A sequence of the children."""

    #: Also in the children's ``metadata["fork_tree_id"]``.
    tree_id: str
    parent_id: str
    children: Sequence[S]
    #: True: the children have the processes of the parent.
    memory: bool
    #: Milliseconds for which the parent stood still.
    pause_ms: float
    errors: List[ForkFailure] = field(default_factory=list)

    @overload
    def __getitem__(self, index: int) -> S: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[S]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[S, Sequence[S]]:
        return self.children[index]

    def __len__(self) -> int:
        return len(self.children)


@dataclass(frozen=True)
class PromoteResult:
    """What became of a fork tree."""

    #: Id of the sandbox that is kept.
    winner: str
    tree_id: Optional[str]
    #: Ids of siblings that were deleted.
    deleted: List[str]
    #: Ids of siblings that could not be deleted, and why.
    failures: Dict[str, str]

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> PromoteResult:
        return cls(
            winner=str(data["winner"]),
            tree_id=data.get("tree_id"),
            deleted=[str(each) for each in data.get("deleted") or []],
            failures={each["id"]: each["error"] for each in data.get("failures") or []},
        )


@dataclass(frozen=True)
class MetricsSample:
    """What a sandbox used at one moment."""

    at: str
    #: Of one core, since the sample before.
    cpu_percent: float
    memory_bytes: int
    disk_bytes: int
    #: Processes and threads.
    pids: int
    network_received_bytes: int
    network_sent_bytes: int

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> MetricsSample:
        return cls(**_sample_fields(data))


@dataclass(frozen=True)
class Metrics(MetricsSample):
    """What a sandbox uses, and its limits."""

    status: str
    #: First process on the host; 0 without processes.
    pid: int
    uptime_seconds: float
    cpu_seconds: float
    #: Cores.
    cpu_limit: float
    memory_limit_bytes: int
    #: None: not known.
    memory_peak_bytes: Optional[int]
    #: None: the disk of the host is the limit.
    disk_limit_bytes: Optional[int]
    pids_limit: int
    #: Oldest first; every 10 seconds, up to an hour.
    history: List[MetricsSample] = field(repr=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Metrics:
        return cls(
            **_sample_fields(data),
            status=str(data["status"]),
            pid=int(data["pid"]),
            uptime_seconds=float(data["uptime_seconds"]),
            cpu_seconds=float(data["cpu_seconds"]),
            cpu_limit=float(data["cpu_limit"]),
            memory_limit_bytes=int(data["memory_limit_bytes"]),
            memory_peak_bytes=data.get("memory_peak_bytes"),
            disk_limit_bytes=data.get("disk_limit_bytes"),
            pids_limit=int(data["pids_limit"]),
            history=[MetricsSample.from_wire(each) for each in data.get("history") or []],
        )


def _sample_fields(data: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        "at": str(data["at"]),
        "cpu_percent": float(data["cpu_percent"]),
        "memory_bytes": int(data["memory_bytes"]),
        "disk_bytes": int(data["disk_bytes"]),
        "pids": int(data["pids"]),
        "network_received_bytes": int(data["network_received_bytes"]),
        "network_sent_bytes": int(data["network_sent_bytes"]),
    }


@dataclass(frozen=True)
class SandboxEvent:
    """Something that happened to a sandbox."""

    #: Grows from one event to the next.
    id: int
    time: str
    sandbox_id: str
    #: As ``created``, ``paused``, ``hibernated``, ``woken``, ``forked``, ``failed``, ``deleted``.
    type: str
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """When it happened, in UTC."""
        return datetime.fromtimestamp(unix_seconds(self.time, 0), timezone.utc)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> SandboxEvent:
        return cls(
            id=int(data["id"]),
            time=str(data["time"]),
            sandbox_id=str(data["sandbox_id"]),
            type=str(data["type"]),
            payload=dict(data.get("payload") or {}),
        )
