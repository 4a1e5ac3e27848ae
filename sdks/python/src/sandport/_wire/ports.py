"""Requests about ports of sandboxes."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ..port_models import Port, SignedPreview
from .call import Call, Request, given, ignore, json_request, target


def list_all(sandbox: str) -> Call[List[Port]]:
    request = Request("GET", target("sandboxes", sandbox, "ports"))
    return Call(request, lambda answer: [Port.from_wire(item) for item in answer.json()])


def expose(sandbox: str, port: int, label: Optional[str], visibility: Optional[str]) -> Call[Port]:
    body = given(port=port, label=label, visibility=visibility)
    request = json_request("POST", target("sandboxes", sandbox, "ports"), body)
    return Call(request, lambda answer: Port.from_wire(answer.json_object()))


def unexpose(sandbox: str, port: int) -> Call[None]:
    return Call(Request("DELETE", target("sandboxes", sandbox, "ports", str(port))), ignore)


def sign(
    sandbox: str, port: int, ttl_seconds: Optional[int], paths: Optional[Sequence[str]]
) -> Call[SignedPreview]:
    listed = None if paths is None else list(paths)
    body = given(port=port, ttl_seconds=ttl_seconds, paths=listed)
    request = json_request("POST", target("sandboxes", sandbox, "preview-token"), body)
    return Call(request, lambda answer: SignedPreview.from_wire(answer.json_object()))


def proxy_url(daemon: str, sandbox: str, port: int) -> str:
    return daemon + target("sandboxes", sandbox, "proxy", str(port)) + "/"
