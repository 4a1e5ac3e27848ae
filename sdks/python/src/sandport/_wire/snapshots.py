"""Requests about snapshots."""

from __future__ import annotations

from typing import List, Optional, Union

from ..resource_models import Snapshot
from .call import Call, Request, ignore, target

#: A snapshot, its id or its name.
SnapshotSpec = Union[str, Snapshot]


def list_all(namespace: Optional[str], sandbox: Optional[str]) -> Call[List[Snapshot]]:
    query = {"namespace": namespace, "sandbox": sandbox}
    request = Request("GET", target("snapshots", query=query))
    return Call(request, lambda answer: [Snapshot.from_wire(item) for item in answer.json()])


def get(snapshot: str) -> Call[Snapshot]:
    request = Request("GET", target("snapshots", snapshot))
    return Call(request, lambda answer: Snapshot.from_wire(answer.json_object()))


def delete(snapshot: SnapshotSpec) -> Call[None]:
    name = snapshot.id if isinstance(snapshot, Snapshot) else snapshot
    return Call(Request("DELETE", target("snapshots", name), read_timeout="forever"), ignore)
