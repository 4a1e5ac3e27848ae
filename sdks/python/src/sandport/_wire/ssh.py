"""Requests about SSH: where it is, and who may log in."""

from __future__ import annotations

from typing import List, Optional

from ..ssh_models import Ssh, SshKey
from .call import Call, Request, given, ignore, json_request, target


def place() -> Call[Ssh]:
    request = Request("GET", target("ssh"))
    return Call(request, lambda answer: Ssh.from_wire(answer.json_object()))


def list_keys() -> Call[List[SshKey]]:
    request = Request("GET", target("ssh-keys"))
    return Call(request, lambda answer: [SshKey.from_wire(item) for item in answer.json()])


def create_key(public_key: str, label: Optional[str]) -> Call[SshKey]:
    body = given(public_key=public_key, label=label)
    request = json_request("POST", target("ssh-keys"), body)
    return Call(request, lambda answer: SshKey.from_wire(answer.json_object()))


def delete_key(key_id: str) -> Call[None]:
    return Call(Request("DELETE", target("ssh-keys", key_id)), ignore)
