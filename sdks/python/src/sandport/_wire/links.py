"""Requests about links that work without a key."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ..file_models import Link
from .call import Answer, Call, RemotePath, Request, ignore, json_request, remote_path
from .owner import FilesOwner


def create(
    owner: FilesOwner, path: RemotePath, method: str, expires_in: int, max_bytes: Optional[int]
) -> Call[Link]:
    body: Dict[str, Any] = {
        "path": remote_path(path),
        "method": method,
        "expires_in_seconds": expires_in,
    }
    if max_bytes is not None:
        body["max_bytes"] = max_bytes
    where = owner.target("fs", "links")

    def parse(answer: Answer) -> Link:
        data = answer.json_object()
        return Link.from_wire(data, url=str(data["url"]))

    return Call(json_request("POST", where, body), parse)


def list_all(owner: FilesOwner) -> Call[List[Link]]:
    request = Request("GET", owner.target("fs", "links"))
    return Call(request, lambda answer: [Link.from_wire(item) for item in answer.json()])


def revoke(owner: FilesOwner, link: str) -> Call[None]:
    return Call(Request("DELETE", owner.target("fs", "links", link)), ignore)
