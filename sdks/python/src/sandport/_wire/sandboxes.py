"""Requests about sandboxes as a whole."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ..errors import make_error
from ..models import SandboxInfo, VolumeMount
from ..resource_models import Snapshot
from .call import Answer, Call, ReadTimeout, Request, given, ignore, json_request, target
from .network import NetworkSpec, network_body

#: ``{"name": ..., "read_only": ..., "path": ..., "size_mb": ...}`` (``readOnly`` and ``sizeMb`` are
#: taken too), or the object.
VolumeSpec = Union[VolumeMount, Mapping[str, Any]]

_OTHER_NAMES = {"readOnly": "read_only", "sizeMb": "size_mb"}

#: Sandboxes asked for at once by ``list``.
PAGE_SIZE = 200


def create(
    *,
    template: Optional[str] = None,
    volumes: Optional[Sequence[VolumeSpec]] = None,
    network: Optional[NetworkSpec] = None,
    namespace: Optional[str] = None,
    name: Optional[str] = None,
    metadata: Optional[Mapping[str, str]] = None,
    env: Optional[Mapping[str, str]] = None,
    from_snapshot: Union[str, Snapshot, None] = None,
    memory: Optional[bool] = None,
    ttl_seconds: Optional[int] = None,
    persistent: Optional[bool] = None,
    idle_timeout_seconds: Optional[int] = None,
    idle_action: Optional[str] = None,
    resources: Optional[Mapping[str, Any]] = None,
    user: Optional[str] = None,
    workdir: Optional[str] = None,
    isolation: Optional[str] = None,
    ready_timeout: ReadTimeout = "idle",
) -> Call[SandboxInfo]:
    body = given(
        template=template,
        isolation=isolation,
        namespace=namespace,
        name=name,
        metadata=dict(metadata) if metadata is not None else None,
        env=dict(env) if env is not None else None,
        from_snapshot=snapshot_name(from_snapshot),
        memory=memory,
        ttl_seconds=ttl_seconds,
        persistent=persistent,
        idle_timeout_seconds=idle_timeout_seconds,
        idle_action=idle_action,
        resources=dict(resources) if resources is not None else None,
        volumes=[_volume(item) for item in volumes] if volumes is not None else None,
        network=network_body(network),
        user=user,
        workdir=workdir,
    )
    return Call(json_request("POST", target("sandboxes"), body, ready_timeout), info_of)


def snapshot_name(snapshot: Union[str, Snapshot, None]) -> Optional[str]:
    """What the API takes for a snapshot: its id, or the name as it is."""
    return snapshot.id if isinstance(snapshot, Snapshot) else snapshot


def get(sandbox: str, wait: ReadTimeout = "idle") -> Call[SandboxInfo]:
    """By id or name. Of several sandboxes with the name the daemon prefers ``default``'s."""
    return Call(Request("GET", target("sandboxes", sandbox), read_timeout=wait), info_of)


def in_namespace(info: SandboxInfo, namespace: str) -> SandboxInfo:
    """:raises NotFoundError: when the sandbox lies in another namespace."""
    if info.namespace == namespace:
        return info
    raise make_error(
        f"No sandbox {info.name or info.id!r} exists in the namespace {namespace!r}.",
        code="sandbox_not_found",
        details={"sandbox": info.name or info.id},
    )


def delete(sandbox_id: str) -> Call[None]:
    """Callers take ``sandbox_not_found`` for success, so that it can be sent again."""
    return Call(Request("DELETE", target("sandboxes", sandbox_id), repeatable=True), ignore)


def list_page(
    *,
    template: Optional[str] = None,
    status: Optional[str] = None,
    namespace: Optional[str] = None,
    metadata: Optional[Mapping[str, str]] = None,
    cursor: Optional[str] = None,
) -> Call[Tuple[List[SandboxInfo], Optional[str]]]:
    """One page and the cursor of the next one, None at the end."""
    query: Dict[str, Optional[str]] = {
        "template": template,
        "status": status,
        "namespace": namespace,
        "limit": str(PAGE_SIZE),
        "cursor": cursor,
    }
    query.update({f"metadata.{key}": value for key, value in (metadata or {}).items()})
    return Call(Request("GET", target("sandboxes", query=query)), _page)


def info_of(answer: Answer) -> SandboxInfo:
    return SandboxInfo.from_wire(answer.json_object())


def _page(answer: Answer) -> Tuple[List[SandboxInfo], Optional[str]]:
    items = [SandboxInfo.from_wire(item) for item in answer.json() or []]
    return items, answer.headers.get("x-next-cursor") or None


def _volume(spec: VolumeSpec) -> Dict[str, Any]:
    if isinstance(spec, VolumeMount):
        return given(name=spec.name, read_only=spec.read_only, path=spec.path, size_mb=spec.size_mb)
    return {_OTHER_NAMES.get(key, key): value for key, value in spec.items()}
