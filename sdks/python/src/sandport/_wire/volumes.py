"""Requests about volumes."""

from __future__ import annotations

from typing import List, Optional

from ..resource_models import VolumeInfo
from .call import Answer, Call, Request, given, ignore, json_request, target


def create(name: str, namespace: Optional[str], size_mb: Optional[int]) -> Call[VolumeInfo]:
    body = given(name=name, namespace=namespace, size_mb=size_mb)
    return Call(json_request("POST", target("volumes"), body, "forever"), _info)


def list_all(namespace: Optional[str]) -> Call[List[VolumeInfo]]:
    request = Request("GET", target("volumes", query={"namespace": namespace}))
    return Call(request, lambda answer: [VolumeInfo.from_wire(item) for item in answer.json()])


def get(name: str, namespace: Optional[str]) -> Call[VolumeInfo]:
    # Its bytes may have to be counted first.
    where = target("volumes", name, query={"namespace": namespace})
    return Call(Request("GET", where, read_timeout="forever"), _info)


def delete(name: str, namespace: Optional[str]) -> Call[None]:
    where = target("volumes", name, query={"namespace": namespace})
    return Call(Request("DELETE", where, read_timeout="forever"), ignore)


def _info(answer: Answer) -> VolumeInfo:
    return VolumeInfo.from_wire(answer.json_object())
