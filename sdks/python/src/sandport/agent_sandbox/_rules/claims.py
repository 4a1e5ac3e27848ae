"""A claim: what is asked for, how it is asked of the daemon, and how it is known again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Final, List, Mapping, Optional, Sequence, Tuple

from ..._wire import sandboxes
from ..._wire.call import Call
from ...errors import NetworkError, SandportError, SandportTimeoutError
from ...models import SandboxInfo
from ..constants import CREATED_BY_LABEL
from ..exceptions import (
    SandboxClaimFailedError,
    SandboxError,
    SandboxMetadataError,
    SandboxNotFoundError,
)
from ..models import SandboxClaimEnvVar
from ..pod_metadata import build_pod_metadata, validate_labels
from .errors import api_error, request_error
from .names import Source, label_for, new_claim_name, source_of, validate_claim_name
from .paths import in_home
from .volumes import ClaimVolume, claim_volume

#: Prefix of what is kept in the metadata of a sandbox beside the labels of its claim.
_OURS: Final = "agent-sandbox.sandport/"
CLAIM_KEY: Final = f"{_OURS}claim"
_SOURCE_KEY: Final = f"{_OURS}source"
_VOLUMES_KEY: Final = f"{_OURS}volumes"
_POD_KEY: Final = f"{_OURS}pod-metadata"

#: The daemon's longest, a year.
_LONGEST_SECONDS: Final = 31_536_000

#: Refusals that no later try would change.
_TERMINAL_CODES: Final = (
    "isolation_unavailable",
    "template_not_built",
    "limit_reached",
    "volume_exists",
    "create_failed",
    "disk_full",
)


@dataclass(frozen=True)
class Claim:
    """What :meth:`SandboxClient.create_sandbox` was asked for, checked."""

    name: str
    namespace: str
    source: Source
    #: False: the caller named it, and keeps it.
    generated: bool
    #: Seconds to wait until it takes commands.
    ready_timeout: float
    metadata: Mapping[str, str]
    ttl_seconds: Optional[int] = None
    env: Mapping[str, str] = field(default_factory=dict)
    volumes: Sequence[ClaimVolume] = ()

    @property
    def sandbox_name(self) -> str:
        """Name of its sandbox; that of the claim wherever it can be."""
        return label_for(self.name)

    def create(self, template: str) -> Call[SandboxInfo]:
        return sandboxes.create(
            template=template,
            namespace=self.namespace,
            name=self.sandbox_name,
            metadata=self.metadata,
            env=self.env or None,
            ttl_seconds=self.ttl_seconds,
            volumes=[each.spec() for each in self.volumes] or None,
            ready_timeout=self.ready_timeout,
        )

    def failure(self, error: SandportError) -> BaseException:
        """What the caller gets for a create that the daemon refused or that took too long."""
        if error.code in ("unknown_template", "template_not_found"):
            return self.source.not_found(error.details.get("known"))
        if isinstance(error, SandportTimeoutError):
            return TimeoutError(
                f"The sandbox {self.name!r} was not ready within {self.ready_timeout:g} seconds."
            )
        if isinstance(error, NetworkError):
            return request_error(error)
        if error.code in _TERMINAL_CODES:
            return SandboxClaimFailedError(f"The sandbox {self.name!r} cannot be made: {error}")
        return api_error(error, f"The sandbox {self.name!r} was refused")


def make_claim(
    template: Optional[str],
    warmpool: Optional[str],
    namespace: str,
    sandbox_ready_timeout: float,
    labels: Optional[Mapping[str, str]],
    *,
    claim_name: Optional[str],
    adopt_existing: bool,
    shutdown_after_seconds: Optional[int],
    volume_claim_templates: Optional[Sequence[Mapping[str, Any]]],
    pod_labels: Optional[Mapping[str, str]],
    pod_annotations: Optional[Mapping[str, str]],
    env: Optional[Mapping[str, str]],
) -> Claim:
    """:raises ValueError: for arguments that cannot be meant."""
    source = source_of(template, warmpool)
    validate_labels(labels or {})
    pod = build_pod_metadata(pod_labels, pod_annotations)
    if shutdown_after_seconds is not None:
        _check_seconds(shutdown_after_seconds)
    if claim_name is not None:
        validate_claim_name(claim_name)
    elif adopt_existing:
        raise ValueError("adopt_existing requires a claim_name")
    name = claim_name if claim_name is not None else new_claim_name()
    volumes = [claim_volume(item, label_for(name)) for item in volume_claim_templates or []]
    metadata: Dict[str, str] = {
        **(labels or {}),
        CREATED_BY_LABEL: "python-client",
        CLAIM_KEY: name,
        _SOURCE_KEY: source.name,
    }
    if volumes:
        metadata[_VOLUMES_KEY] = json.dumps([volume.name for volume in volumes])
    if pod is not None:
        metadata[_POD_KEY] = json.dumps(pod.model_dump(exclude_none=True))
    return Claim(
        name=name,
        namespace=namespace,
        source=source,
        generated=claim_name is None,
        ready_timeout=float(sandbox_ready_timeout),
        metadata=metadata,
        ttl_seconds=shutdown_after_seconds,
        env={key: SandboxClaimEnvVar(key, value).value for key, value in (env or {}).items()},
        volumes=volumes,
    )


def _check_seconds(seconds: int) -> None:
    if type(seconds) is not int:
        raise ValueError(f"shutdown_after_seconds must be an integer, not {type(seconds).__name__}")
    if seconds <= 0:
        raise ValueError(f"shutdown_after_seconds must be positive, not {seconds}")
    if seconds > _LONGEST_SECONDS:
        raise ValueError(
            f"shutdown_after_seconds is too large: {seconds}; at most {_LONGEST_SECONDS}, a year"
        )


@dataclass(frozen=True)
class Place:
    """How the daemon knows a sandbox."""

    id: str
    #: Where relative paths and commands start.
    home: str

    def path(self, path: str) -> str:
        """Absolute."""
        return in_home(path, self.home)


def place_of(info: SandboxInfo) -> Place:
    if info.user in ("root", "0"):
        return Place(info.id, "/root")
    # A number has no home that is known; no user is that of the templates of Sandport.
    home = info.workdir or "/" if info.user.isdigit() else f"/home/{info.user or 'user'}"
    return Place(info.id, home)


def claim_name_of(info: SandboxInfo) -> Optional[str]:
    """Name of the claim that a sandbox belongs to; None when it belongs to none."""
    return info.metadata.get(CLAIM_KEY)


def sandbox_name_of(info: SandboxInfo) -> str:
    """Name of the sandbox, and of its pod."""
    return info.name or info.id


def labels_of(info: SandboxInfo) -> Dict[str, str]:
    """Labels of the claim of a sandbox."""
    return {key: value for key, value in info.metadata.items() if not key.startswith(_OURS)}


def source_name_of(info: SandboxInfo) -> str:
    """:raises SandboxMetadataError: when it is not recorded."""
    source = info.metadata.get(_SOURCE_KEY)
    if not source:
        raise SandboxMetadataError(
            f"The sandbox {sandbox_name_of(info)!r} does not record what it was claimed from."
        )
    return source


def volumes_of(info: SandboxInfo) -> List[str]:
    """Names of the volumes that were made for a claim and go with it."""
    try:
        names = json.loads(info.metadata.get(_VOLUMES_KEY, "[]"))
    except ValueError:
        return []
    mounted = {volume.name for volume in info.volumes}
    # What is not mounted by this sandbox is not its own, whatever the metadata say.
    return [name for name in names if name in mounted] if isinstance(names, list) else []


def check_adopted(info: Optional[SandboxInfo], claim: Claim) -> SandboxInfo:
    """The sandbox of a claim that is there already, when it is what was asked for.

    :raises ValueError: when it is of something else.
    """
    if info is None:
        raise SandboxError(
            f"The name {claim.name!r} was taken by a sandbox that has just gone; try again."
        )
    check_source(info, claim.source.name)
    return info


def check_source(info: SandboxInfo, name: str) -> None:
    """:raises ValueError: when the sandbox was claimed from something else."""
    source = info.metadata.get(_SOURCE_KEY)
    if source != name:
        other = f"was claimed from {source!r}" if source else "was made without a claim"
        raise ValueError(f"The sandbox {sandbox_name_of(info)!r} {other}, not from {name!r}.")


def not_found(
    claim_name: str, namespace: str, cause: Optional[BaseException] = None
) -> SandboxNotFoundError:
    reason = f": {cause}" if cause is not None else "."
    return SandboxNotFoundError(
        f"No sandbox {claim_name!r} was found in the namespace {namespace!r}{reason}"
    )


_READY: Final[Mapping[str, Tuple[str, str]]] = {
    "running": ("SandboxReady", "The sandbox takes commands."),
    "hibernated": ("SandboxReady", "The sandbox is hibernated; the next call wakes it."),
    "paused": ("SandboxNotReady", "The sandbox is paused."),
    "creating": ("SandboxNotReady", "The sandbox is starting."),
}


def status_of(info: Optional[SandboxInfo]) -> Tuple[str, str]:
    """``SandboxReady``, ``SandboxNotReady`` or ``SandboxNotFound``, and a sentence."""
    if info is None or info.status == "deleted":
        return "SandboxNotFound", "There is no such sandbox."
    if info.status in _READY:
        return _READY[info.status]
    return "SandboxNotReady", info.status_reason or f"The sandbox is {info.status}."


def pod_ip_of(info: Optional[SandboxInfo]) -> Optional[str]:
    """Address of a sandbox in the daemon's pod network, where the daemon tells it."""
    address = info.raw.get("pod_ip") if info is not None else None
    return address if isinstance(address, str) and address else None
