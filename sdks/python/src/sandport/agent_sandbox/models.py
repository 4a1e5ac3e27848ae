"""What calls take and give. Both generations of the agent-sandbox API are served: where they
differ, a model has the fields of both.

The connection configurations are taken and checked, and choose nothing: the daemon is found as
everything in :mod:`sandport` finds it.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import field
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ._model import Model, checked_int, checked_port, checked_text, model

__all__ = [
    "AdditionalPodMetadata",
    "ExecutionResult",
    "FileEntry",
    "SandboxClaimEnvVar",
    "SandboxConnectionConfig",
    "SandboxDirectConnectionConfig",
    "SandboxGatewayConnectionConfig",
    "SandboxInClusterConnectionConfig",
    "SandboxLocalTunnelConnectionConfig",
    "SandboxTracerConfig",
    "SandboxdInClusterConnectionConfig",
    "SandboxdPodTunnelConnectionConfig",
]

_ENV_NAME = re.compile(r"(?!\.\.)(?!\.$)[-._a-zA-Z][-._a-zA-Z0-9]*")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_RESERVED_HEADERS = "x-sandbox-"
_MODES = ("in-cluster-service", "in-cluster-pod-ip")
_OLDER_MODES = {"service-dns": "in-cluster-service", "pod-ip": "in-cluster-pod-ip"}


@model
class ExecutionResult(Model):
    """What a command gave. Output that is not UTF-8 holds U+FFFD."""

    stdout: str = ""
    stderr: str = ""
    #: Exit code, or minus the number of the signal that ended the shell.
    exit_code: int = -1
    #: True when ``command_timeout`` ended the command.
    timed_out: bool = False


class FileEntry(Model):
    """A file or a directory. Made with ``mod_time`` or with ``modified``; it has both."""

    name: str
    #: Bytes.
    size: int
    #: ``file`` or ``directory``.
    type: str
    #: Last change, in UTC.
    modified: datetime
    #: Permission bits in octal, as ``0644``.
    mode: Optional[str]
    #: Last change: seconds since 1970.
    mod_time: float

    def __init__(
        self,
        name: str,
        size: int,
        type: str,
        modified: Optional[datetime] = None,
        mode: Optional[str] = None,
        mod_time: Optional[float] = None,
        **_other: Any,
    ) -> None:
        self.name = checked_text("name", name)
        self.size = checked_int("size", size)
        if type not in ("file", "directory"):
            raise ValueError(f"type must be 'file' or 'directory', not {type!r}")
        self.type = type
        if modified is None and mod_time is None:
            raise ValueError("modified is missing")
        self.mod_time = modified.timestamp() if modified is not None else float(mod_time or 0)
        self.modified = modified or datetime.fromtimestamp(self.mod_time, timezone.utc)
        self.mode = mode

    @classmethod
    def from_legacy(cls, entry: Mapping[str, Any]) -> FileEntry:
        """From ``{"name", "size", "type", "mod_time"}``."""
        return cls(entry["name"], entry["size"], entry["type"], mod_time=entry.get("mod_time", 0))

    @classmethod
    def from_sandboxd(cls, entry: Mapping[str, Any]) -> FileEntry:
        """From ``{"name", "size", "type", "modified_at", "mode"}``."""
        modified = datetime.fromisoformat(entry["modified_at"].replace("Z", "+00:00"))
        return cls(entry["name"], entry["size"], entry["type"], modified, entry.get("mode"))

    def model_dump(self, *, mode: str = "python", exclude_none: bool = False) -> Dict[str, Any]:
        modified = self.modified.isoformat() if mode == "json" else self.modified
        fields = {
            "name": self.name,
            "size": self.size,
            "type": self.type,
            "modified": modified,
            "mode": self.mode,
            "mod_time": self.mod_time,
        }
        return {key: value for key, value in fields.items() if not (exclude_none and value is None)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileEntry) and self.model_dump() == other.model_dump()

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.model_dump().items())
        return f"FileEntry({shown})"


@model
class SandboxClaimEnvVar(Model):
    """A variable of the environment of every command."""

    name: str
    value: str
    container_name: Optional[str] = None

    def __post_init__(self) -> None:
        if not _ENV_NAME.fullmatch(checked_text("name", self.name)):
            raise ValueError(
                f"{self.name!r} is no name of an environment variable: it has letters, digits, "
                "'_', '-' and '.', begins with no digit, and is not '.' or '..'"
            )
        checked_text(f"value of {self.name}", self.value)


@model
class SandboxDirectConnectionConfig(Model):
    """The router at an address."""

    api_url: str
    server_port: int = 8888
    #: Not shown: it may hold credentials.
    extra_headers: Dict[str, str] = field(default_factory=dict, repr=False)
    client_cert: Optional[Tuple[str, str]] = None
    ca_cert: Optional[str] = None

    def __post_init__(self) -> None:
        url = checked_text("api_url", self.api_url)
        self.server_port = checked_int("server_port", self.server_port)
        for name in self.extra_headers:
            if name.lower().startswith(_RESERVED_HEADERS):
                raise ValueError(f"header {name!r} is reserved: {_RESERVED_HEADERS}* are not yours")
        if (self.client_cert or self.ca_cert) and not url.lower().startswith("https://"):
            raise ValueError("client_cert and ca_cert require an https:// api_url")


@model
class SandboxGatewayConnectionConfig(Model):
    """The router behind a Gateway."""

    gateway_name: str
    gateway_namespace: str = "default"
    #: Seconds.
    gateway_ready_timeout: int = 180
    server_port: int = 8888

    def __post_init__(self) -> None:
        checked_text("gateway_name", self.gateway_name)
        checked_text("gateway_namespace", self.gateway_namespace)
        self.gateway_ready_timeout = checked_int(
            "gateway_ready_timeout", self.gateway_ready_timeout
        )
        self.server_port = checked_int("server_port", self.server_port)


@model
class SandboxLocalTunnelConnectionConfig(Model):
    """The router by ``kubectl port-forward``; what a client has when it is given none."""

    #: Seconds.
    port_forward_ready_timeout: int = 30
    server_port: int = 8888
    router_namespace: str = "agent-sandbox-system"

    def __post_init__(self) -> None:
        self.port_forward_ready_timeout = checked_int(
            "port_forward_ready_timeout", self.port_forward_ready_timeout
        )
        self.server_port = checked_int("server_port", self.server_port)
        if not _NAMESPACE.fullmatch(checked_text("router_namespace", self.router_namespace)):
            raise ValueError(f"router_namespace {self.router_namespace!r} is no Kubernetes name")


@model
class SandboxdPodTunnelConnectionConfig(Model):
    """The runtime of a pod by ``kubectl port-forward``."""

    rest_port: int = 8080
    grpc_port: int = 9090
    #: Seconds.
    port_forward_ready_timeout: int = 30

    def __post_init__(self) -> None:
        self.rest_port = checked_port("rest_port", self.rest_port)
        self.grpc_port = checked_port("grpc_port", self.grpc_port)
        self.port_forward_ready_timeout = checked_int(
            "port_forward_ready_timeout", self.port_forward_ready_timeout
        )


@model
class SandboxdInClusterConnectionConfig(Model):
    """The runtime of a pod at its address in a cluster."""

    #: ``in-cluster-service`` or ``in-cluster-pod-ip``.
    mode: str
    rest_port: int = 8080
    grpc_port: int = 9090

    def __post_init__(self) -> None:
        newer = _OLDER_MODES.get(self.mode) if isinstance(self.mode, str) else None
        if newer is not None:
            warnings.warn(
                f"mode {self.mode!r} is deprecated; use {newer!r}", DeprecationWarning, stacklevel=4
            )
            self.mode = newer
        if self.mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {self.mode!r}")
        self.rest_port = checked_port("rest_port", self.rest_port)
        self.grpc_port = checked_port("grpc_port", self.grpc_port)
        if self.rest_port == self.grpc_port:
            raise ValueError("rest_port and grpc_port must be different")


@model
class SandboxInClusterConnectionConfig(Model):
    """The older runtime of a pod at its address in a cluster."""

    server_port: int = 8888
    use_pod_ip: bool = False

    def __post_init__(self) -> None:
        self.server_port = checked_int("server_port", self.server_port)


SandboxConnectionConfig = Union[
    SandboxDirectConnectionConfig,
    SandboxGatewayConnectionConfig,
    SandboxLocalTunnelConnectionConfig,
    SandboxInClusterConnectionConfig,
    SandboxdPodTunnelConnectionConfig,
    SandboxdInClusterConnectionConfig,
]


@model
class AdditionalPodMetadata(Model):
    """Labels and annotations of the pod itself."""

    labels: Optional[Dict[str, str]] = None
    annotations: Optional[Dict[str, str]] = None


@model
class SandboxTracerConfig(Model):
    """Taken and not used: nothing is traced here."""

    enable_tracing: bool = False
    trace_service_name: str = "sandbox-client"
