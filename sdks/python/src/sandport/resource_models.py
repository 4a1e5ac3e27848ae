"""What requests about templates, volumes, snapshots, pools, quotas and keys answer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional

from .models import VolumeMount
from .network_models import Network


@dataclass(frozen=True)
class Snapshot:
    """The frozen state of a sandbox; sandboxes begin with it."""

    id: str
    namespace: str
    #: It may be gone.
    sandbox_id: str
    template: str
    isolation: str
    #: True: sandboxes from it begin with its processes.
    memory: bool
    size_bytes: int
    #: Milliseconds for which the sandbox stood still.
    pause_ms: float
    created_at: str
    name: Optional[str] = None
    #: Mounted by the sandbox; their contents are not in it.
    volumes: List[VolumeMount] = field(default_factory=list)
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Snapshot:
        return cls(
            id=str(data["id"]),
            namespace=str(data["namespace"]),
            sandbox_id=str(data["sandbox_id"]),
            template=str(data["template"]),
            isolation=str(data["isolation"]),
            memory=bool(data["memory"]),
            size_bytes=int(data["size_bytes"]),
            pause_ms=float(data.get("pause_ms", 0)),
            created_at=str(data["created_at"]),
            name=data.get("name"),
            volumes=[VolumeMount.from_wire(item) for item in data.get("volumes") or []],
            metadata=dict(data.get("metadata") or {}),
        )


@dataclass(frozen=True)
class VolumeInfo:
    """A volume as the daemon described it."""

    name: str
    namespace: str
    created_at: str
    #: Most MiB that it holds; None: no limit.
    size_mb: Optional[int] = None
    #: Bytes that it holds; None where it was not asked about alone.
    size_bytes: Optional[int] = None
    #: Ids of the sandboxes that mount it.
    used_by: List[str] = field(default_factory=list)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> VolumeInfo:
        return cls(
            name=str(data["name"]),
            namespace=str(data.get("namespace", "default")),
            created_at=str(data["created_at"]),
            size_mb=data.get("size_mb"),
            size_bytes=data.get("size_bytes"),
            used_by=[str(each) for each in data.get("used_by") or []],
        )


@dataclass(frozen=True)
class Template:
    """What sandboxes start from."""

    name: str
    description: str
    aliases: List[str]
    #: ``ready``, ``absent``, ``building`` or ``failed``.
    status: str
    #: What it is made of, for people.
    source: str
    #: False: it comes with Sandport.
    removable: bool
    #: Bytes on disk; 0 before it is built.
    size_bytes: int
    user: str
    workdir: str
    env: Mapping[str, str]
    #: Cores.
    cpu: float
    #: MiB.
    memory_mb: int
    #: MiB; None: the disk of the host is the limit.
    disk_mb: Optional[int] = None
    #: Version that new sandboxes get.
    version: Optional[str] = None
    built_at: Optional[str] = None
    #: Of sandboxes that ask for none; None: what their namespace says.
    network: Optional[Network] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Template:
        network = data.get("network")
        return cls(
            name=str(data["name"]),
            description=str(data.get("description", "")),
            aliases=[str(each) for each in data.get("aliases") or []],
            status=str(data["status"]),
            source=str(data.get("source", "")),
            removable=bool(data.get("removable", False)),
            size_bytes=int(data.get("size_bytes", 0)),
            user=str(data.get("user", "")),
            workdir=str(data.get("workdir", "")),
            env=dict(data.get("env") or {}),
            cpu=float(data.get("cpu", 0)),
            memory_mb=int(data.get("memory_mb", 0)),
            disk_mb=data.get("disk_mb"),
            version=data.get("version"),
            built_at=data.get("built_at"),
            network=None if network is None else Network.from_wire(network),
        )


@dataclass(frozen=True)
class TemplateBuild:
    """A build of a template."""

    id: str
    #: Of the template.
    name: str
    #: ``queued``, ``running``, ``done`` or ``failed``.
    status: str
    started_at: str
    ended_at: Optional[str] = None
    #: Why it failed.
    error: Optional[str] = None
    #: Of the error table.
    code: Optional[str] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> TemplateBuild:
        return cls(
            id=str(data["id"]),
            name=str(data["name"]),
            status=str(data["status"]),
            started_at=str(data["started_at"]),
            ended_at=data.get("ended_at"),
            error=data.get("error"),
            code=data.get("code"),
        )


@dataclass(frozen=True)
class Pool:
    """Sandboxes that are made ahead, so that a create need not wait."""

    template: str
    isolation: str
    #: Sandboxes kept ready.
    size: int
    ready: int
    starting: int
    #: Taken since the daemon started.
    taken: int
    #: Creates that found it empty since the daemon started.
    missed: int
    #: Why the last one could not be made.
    error: Optional[str] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Pool:
        counts = {key: int(data[key]) for key in ("size", "ready", "starting", "taken", "missed")}
        return cls(
            template=str(data["template"]),
            isolation=str(data["isolation"]),
            **counts,
            error=data.get("error"),
        )


@dataclass(frozen=True)
class Quota:
    """How much of the machine a namespace may use, and uses. A limit that is None is none."""

    namespace: str
    #: There now.
    sandboxes: int
    #: MiB promised now, to sandboxes with processes.
    memory_mb: int
    #: MiB promised now.
    disk_mb: int
    max_sandboxes: Optional[int] = None
    #: MiB of the memory limits of all sandboxes together.
    max_memory_mb: Optional[int] = None
    #: MiB of the disk limits of all sandboxes and volumes together.
    max_disk_mb: Optional[int] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Quota:
        return cls(
            namespace=str(data["namespace"]),
            sandboxes=int(data["sandboxes"]),
            memory_mb=int(data["memory_mb"]),
            disk_mb=int(data["disk_mb"]),
            max_sandboxes=data.get("max_sandboxes"),
            max_memory_mb=data.get("max_memory_mb"),
            max_disk_mb=data.get("max_disk_mb"),
        )


@dataclass(frozen=True)
class Key:
    """An API key, without the key itself."""

    id: str
    label: str
    created_at: str
    #: Namespaces that the key may use; None: all, as an administrator.
    namespaces: Optional[List[str]] = None
    #: The key itself, in the answer to its making only.
    api_key: Optional[str] = field(default=None, repr=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Key:
        namespaces = data.get("namespaces")
        return cls(
            id=str(data["id"]),
            label=str(data.get("label", "")),
            created_at=str(data["created_at"]),
            namespaces=None if namespaces is None else [str(each) for each in namespaces],
            api_key=data.get("api_key"),
        )


@dataclass(frozen=True)
class Kubernetes:
    """How clients of Kubernetes reach a daemon. Their token is an API key."""

    #: Address of the Kubernetes API, as ``https://127.0.0.1:8421``.
    server: str
    #: PEM of the authority that vouches for it.
    certificate_authority: str
    #: Address of the router to sandboxes, for clients with an API key.
    router: str
    #: Namespaces that the API key may use; None: all.
    namespaces: Optional[List[str]] = None
    #: Address of the same router on the daemon's machine, without a key.
    gateway: Optional[str] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Kubernetes:
        namespaces = data.get("namespaces")
        return cls(
            server=str(data["server"]),
            certificate_authority=str(data["certificate_authority"]),
            router=str(data["router"]),
            namespaces=None if namespaces is None else [str(each) for each in namespaces],
            gateway=data.get("gateway"),
        )
