"""Requests about the life of one sandbox."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, TypeVar, Union

from ..life_models import ForkFailure, ForkTree, Lifecycle, Metrics, PromoteResult, WakeResult
from ..models import SandboxInfo
from ..resource_models import Snapshot
from .call import Answer, Call, Request, empty_request, given, json_request, target
from .network import NetworkSpec, network_body
from .sandboxes import info_of, snapshot_name

S = TypeVar("S")


def change_state(sandbox: str, change: str) -> Call[SandboxInfo]:
    """:param change: ``pause``, ``resume`` or ``hibernate``."""
    return Call(empty_request("POST", target("sandboxes", sandbox, change)), info_of)


def wake(sandbox: str) -> Call[WakeResult]:
    return Call(empty_request("POST", target("sandboxes", sandbox, "wake")), _woken)


def restore(sandbox: str, snapshot: Union[str, Snapshot]) -> Call[WakeResult]:
    where = target("sandboxes", sandbox, "restore")
    body = _body(snapshot=snapshot_name(snapshot))
    return Call(json_request("POST", where, body, "forever"), _woken)


def snapshot(
    sandbox: str,
    name: Optional[str],
    memory: Optional[bool],
    metadata: Optional[Mapping[str, str]],
) -> Call[Snapshot]:
    body = _body(name=name, memory=memory, metadata=metadata)
    where = target("sandboxes", sandbox, "snapshots")
    request = json_request("POST", where, body, "forever")
    return Call(request, lambda answer: Snapshot.from_wire(answer.json_object()))


def snapshots(sandbox: str) -> Call[List[Snapshot]]:
    request = Request("GET", target("sandboxes", sandbox, "snapshots"))
    return Call(request, lambda answer: [Snapshot.from_wire(item) for item in answer.json()])


def update(
    sandbox: str,
    resources: Optional[Mapping[str, Any]],
    metadata: Optional[Mapping[str, str]],
    env: Optional[Mapping[str, str]],
    network: Optional[NetworkSpec],
) -> Call[SandboxInfo]:
    limits = network_body(network)
    body = _body(resources=resources, metadata=metadata, env=env, network=limits)
    return Call(json_request("PATCH", target("sandboxes", sandbox), body, "forever"), info_of)


def get_lifecycle(sandbox: str) -> Call[Lifecycle]:
    return Call(Request("GET", target("sandboxes", sandbox, "lifecycle")), _lifecycle)


def change_lifecycle(sandbox: str, changes: Mapping[str, Any]) -> Call[Lifecycle]:
    where = target("sandboxes", sandbox, "lifecycle")
    return Call(json_request("PATCH", where, changes), _lifecycle)


def with_lifecycle(info: SandboxInfo, changed: Lifecycle) -> SandboxInfo:
    """A sandbox after its lifecycle was changed."""
    return replace(
        info,
        ttl_seconds=changed.ttl_seconds,
        persistent=changed.persistent,
        idle_timeout_seconds=changed.idle_timeout_seconds,
        idle_action=changed.idle_action,
        expires_at=changed.expires_at,
    )


def metrics(sandbox: str, history_seconds: Optional[int]) -> Call[Metrics]:
    query = {"history": None if history_seconds is None else str(history_seconds)}
    request = Request("GET", target("sandboxes", sandbox, "metrics", query=query))
    return Call(request, lambda answer: Metrics.from_wire(answer.json_object()))


def promote(
    sandbox: str, cleanup_siblings: Optional[bool], tree_id: Optional[str]
) -> Call[PromoteResult]:
    body = _body(cleanup_siblings=cleanup_siblings, tree_id=tree_id)
    where = target("sandboxes", sandbox, "promote")
    request = json_request("POST", where, body, "forever")
    return Call(request, lambda answer: PromoteResult.from_wire(answer.json_object()))


def fork(
    sandbox: str, memory: Optional[bool], metadata: Optional[Mapping[str, str]]
) -> Call[SandboxInfo]:
    """Makes one child."""
    body = _body(memory=memory, metadata=metadata)
    request = json_request("POST", target("sandboxes", sandbox, "fork"), body, "forever")
    return Call(request, lambda answer: SandboxInfo.from_wire(answer.json_object()["sandboxes"][0]))


class Forked(NamedTuple):
    """The answer to a fork of several children, of which sandboxes are yet to be made."""

    children: List[SandboxInfo]
    data: Mapping[str, Any]

    def tree(self, made: Callable[[SandboxInfo], S]) -> ForkTree[S]:
        return ForkTree(
            tree_id=str(self.data["tree_id"]),
            parent_id=str(self.data["parent_id"]),
            children=tuple(made(info) for info in self.children),
            memory=bool(self.data["memory"]),
            pause_ms=float(self.data["pause_ms"]),
            errors=[
                ForkFailure(int(each["index"]), str(each["err"]), str(each.get("code", "unknown")))
                for each in self.data.get("errors") or []
            ],
        )


def fork_tree(
    sandbox: str,
    count: Optional[int],
    memory: Optional[bool],
    metadata: Optional[Mapping[str, str]],
) -> Call[Forked]:
    body = _body(count=count, memory=memory, metadata=metadata)
    where = target("sandboxes", sandbox, "fork-tree")

    def parse(answer: Answer) -> Forked:
        data = answer.json_object()
        return Forked([SandboxInfo.from_wire(each) for each in data["children"]], data)

    return Call(json_request("POST", where, body, "forever"), parse)


def _body(**fields: Any) -> Dict[str, Any]:
    body = given(**fields)
    return {key: dict(each) if isinstance(each, Mapping) else each for key, each in body.items()}


def _woken(answer: Answer) -> WakeResult:
    return WakeResult.from_wire(answer.json_object())


def _lifecycle(answer: Answer) -> Lifecycle:
    return Lifecycle.from_wire(answer.json_object())
