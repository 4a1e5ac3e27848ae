"""Requests about what an administrator shares out: pools, quotas, networks and keys."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ..network_models import NamespaceNetwork
from ..resource_models import Key, Kubernetes, Pool, Quota
from .call import Answer, Call, Request, given, ignore, json_request, target
from .network import NetworkSpec, network_body


def list_pools() -> Call[List[Pool]]:
    request = Request("GET", target("pools"))
    return Call(request, lambda answer: [Pool.from_wire(item) for item in answer.json()])


def get_pool(template: str, isolation: Optional[str]) -> Call[Pool]:
    return Call(Request("GET", target("pools", template, query={"isolation": isolation})), _pool)


def set_pool(template: str, size: int, isolation: Optional[str]) -> Call[Pool]:
    body = given(size=size, isolation=isolation)
    return Call(json_request("PUT", target("pools", template), body), _pool)


def delete_pool(template: str, isolation: Optional[str]) -> Call[None]:
    where = target("pools", template, query={"isolation": isolation})
    return Call(Request("DELETE", where, read_timeout="forever"), ignore)


def list_quotas() -> Call[List[Quota]]:
    request = Request("GET", target("namespaces"))
    return Call(request, lambda answer: [Quota.from_wire(item) for item in answer.json()])


def get_quota(namespace: str) -> Call[Quota]:
    return Call(Request("GET", target("namespaces", namespace, "quota")), _quota)


def set_quota(
    namespace: str,
    max_sandboxes: Optional[int],
    max_memory_mb: Optional[int],
    max_disk_mb: Optional[int],
) -> Call[Quota]:
    body = given(max_sandboxes=max_sandboxes, max_memory_mb=max_memory_mb, max_disk_mb=max_disk_mb)
    return Call(json_request("PUT", target("namespaces", namespace, "quota"), body), _quota)


def get_namespace_network(namespace: str) -> Call[NamespaceNetwork]:
    return Call(Request("GET", target("namespaces", namespace, "network")), _namespace_network)


def set_namespace_network(
    namespace: str,
    max_egress: Optional[str],
    max_allow: Optional[Sequence[str]],
    default: Optional[NetworkSpec],
) -> Call[NamespaceNetwork]:
    if isinstance(max_allow, str):
        raise TypeError("max_allow must be a list of rules, not one string")
    rules = None if max_allow is None else list(max_allow)
    body = given(max_egress=max_egress, max_allow=rules, default=network_body(default))
    where = target("namespaces", namespace, "network")
    return Call(json_request("PUT", where, body), _namespace_network)


def list_keys() -> Call[List[Key]]:
    request = Request("GET", target("keys"))
    return Call(request, lambda answer: [Key.from_wire(item) for item in answer.json()])


def create_key(label: Optional[str], namespaces: Optional[Sequence[str]]) -> Call[Key]:
    if isinstance(namespaces, str):
        raise TypeError("namespaces must be a list of names, not one string")
    body = given(label=label, namespaces=None if namespaces is None else list(namespaces))
    request = json_request("POST", target("keys"), body)
    return Call(request, lambda answer: Key.from_wire(answer.json_object()))


def delete_key(key_id: str) -> Call[None]:
    return Call(Request("DELETE", target("keys", key_id)), ignore)


def version() -> Call[str]:
    """Version of the daemon."""
    return Call(Request("GET", "/version"), lambda answer: str(answer.json_object()["version"]))


def kubernetes() -> Call[Kubernetes]:
    request = Request("GET", target("kubernetes"))
    return Call(request, lambda answer: Kubernetes.from_wire(answer.json_object()))


def _pool(answer: Answer) -> Pool:
    return Pool.from_wire(answer.json_object())


def _quota(answer: Answer) -> Quota:
    return Quota.from_wire(answer.json_object())


def _namespace_network(answer: Answer) -> NamespaceNetwork:
    return NamespaceNetwork.from_wire(answer.json_object())
