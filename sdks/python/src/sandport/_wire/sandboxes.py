"""Requests about sandboxes as a whole."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ..errors import make_error
from ..models import SandboxInfo, VolumeMount
from .call import Answer, Call, ReadTimeout, Request, ignore, json_request, target

#: ``{"name": ..., "read_only": ...}`` (``readOnly`` is taken too), or the object.
VolumeSpec = Union[VolumeMount, Mapping[str, Any]]

#: Sandboxes asked for at once by ``list``.
PAGE_SIZE = 200


def create(
    *,
    template: Optional[str] = None,
    volumes: Optional[Sequence[VolumeSpec]] = None,
    namespace: Optional[str] = None,
    name: Optional[str] = None,
    metadata: Optional[Mapping[str, str]] = None,
    env: Optional[Mapping[str, str]] = None,
    ttl_seconds: Optional[int] = None,
    resources: Optional[Mapping[str, Any]] = None,
    user: Optional[str] = None,
    workdir: Optional[str] = None,
    isolation: Optional[str] = None,
    ready_timeout: ReadTimeout = "idle",
) -> Call[SandboxInfo]:
    fields: Dict[str, Any] = {
        "template": template,
        "isolation": isolation,
        "namespace": namespace,
        "name": name,
        "metadata": dict(metadata) if metadata is not None else None,
        "env": dict(env) if env is not None else None,
        "ttl_seconds": ttl_seconds,
        "resources": dict(resources) if resources is not None else None,
        "volumes": [_volume(item) for item in volumes] if volumes is not None else None,
        "user": user,
        "workdir": workdir,
    }
    body = {key: value for key, value in fields.items() if value is not None}
    return Call(json_request("POST", target("sandboxes"), body, ready_timeout), _info)


def get(sandbox: str, wait: ReadTimeout = "idle") -> Call[SandboxInfo]:
    """By id or name. Of several sandboxes with the name the daemon prefers ``default``'s."""
    return Call(Request("GET", target("sandboxes", sandbox), read_timeout=wait), _info)


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


def _info(answer: Answer) -> SandboxInfo:
    return SandboxInfo.from_wire(answer.json_object())


def _page(answer: Answer) -> Tuple[List[SandboxInfo], Optional[str]]:
    items = [SandboxInfo.from_wire(item) for item in answer.json() or []]
    return items, answer.headers.get("x-next-cursor") or None


def _volume(spec: VolumeSpec) -> Dict[str, Any]:
    if isinstance(spec, VolumeMount):
        return {"name": spec.name, "read_only": spec.read_only}
    body = dict(spec)
    if "readOnly" in body:
        body["read_only"] = body.pop("readOnly")
    return body
