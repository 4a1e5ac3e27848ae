"""Snapshots, pools, quotas, networks of namespaces, and keys."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .._wire import machine, snapshots
from .._wire.network import NetworkSpec
from .._wire.snapshots import SnapshotSpec
from ..network_models import NamespaceNetwork
from ..resource_models import Key, Pool, Quota, Snapshot
from .transport import Transport


class _Api:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Snapshots(_Api):
    """Frozen states of sandboxes. ``sandbox.snapshot()`` makes one, and sandboxes begin with it."""

    def get(self, snapshot: str) -> Snapshot:
        """By id or name.

        :raises NotFoundError: when there is none.
        """
        return self._transport.call(snapshots.get(snapshot))

    def delete(self, snapshot: SnapshotSpec) -> None:
        """Deletes a snapshot; sandboxes made from it stay.

        :raises NotFoundError: when there is none.
        """
        self._transport.call(snapshots.delete(snapshot))

    def list(
        self, *, namespace: Optional[str] = None, sandbox: Optional[str] = None
    ) -> List[Snapshot]:
        """Newest first.

        :param sandbox: only those of the sandbox with this id.
        """
        return self._transport.call(snapshots.list_all(namespace, sandbox))


class Pools(_Api):
    """Sandboxes that are made ahead, so that a create need not wait; for administrators.

    ``isolation`` left out is the strongest that works on the daemon's machine.
    """

    def get(self, template: str, *, isolation: Optional[str] = None) -> Pool:
        """:raises NotFoundError: when there is none."""
        return self._transport.call(machine.get_pool(template, isolation))

    def set(self, template: str, size: int, *, isolation: Optional[str] = None) -> Pool:
        """Keeps ``size`` sandboxes ready; they are made in the background. 0 drains the pool."""
        return self._transport.call(machine.set_pool(template, size, isolation))

    def delete(self, template: str, *, isolation: Optional[str] = None) -> None:
        """Ends the pool and the sandboxes that wait in it.

        :raises NotFoundError: when there is none.
        """
        self._transport.call(machine.delete_pool(template, isolation))

    def list(self) -> List[Pool]:
        return self._transport.call(machine.list_pools())


class Quotas(_Api):
    """How much of the machine a namespace may use."""

    def get(self, namespace: str) -> Quota:
        """Its limits, and what it uses."""
        return self._transport.call(machine.get_quota(namespace))

    def set(
        self,
        namespace: str,
        *,
        max_sandboxes: Optional[int] = None,
        max_memory_mb: Optional[int] = None,
        max_disk_mb: Optional[int] = None,
    ) -> Quota:
        """Sets all limits: what is left out has none. What is there already stays. For
        administrators.

        :param max_memory_mb: MiB of the memory limits of all sandboxes together.
        :param max_disk_mb: MiB of the disk limits of all sandboxes and volumes; each must have one
            then.
        """
        call = machine.set_quota(namespace, max_sandboxes, max_memory_mb, max_disk_mb)
        return self._transport.call(call)

    def list(self) -> List[Quota]:
        """Of namespaces with a quota or with sandboxes."""
        return self._transport.call(machine.list_quotas())


class NamespaceNetworks(_Api):
    """What networks the sandboxes of namespaces have by default, and at most."""

    def get(self, namespace: str) -> NamespaceNetwork:
        return self._transport.call(machine.get_namespace_network(namespace))

    def set(
        self,
        namespace: str,
        *,
        max_egress: Optional[str] = None,
        max_allow: Optional[Sequence[str]] = None,
        default: Optional[NetworkSpec] = None,
    ) -> NamespaceNetwork:
        """Sets all of it: what is left out is taken away. Sandboxes that have more than the new
        bound lose what is beyond it. For administrators.

        :param max_egress: most that a sandbox may have: ``none``, ``allowlist`` or ``all``.
        :param max_allow: with ``allowlist``: rules may open no more than these.
        :param default: of sandboxes that ask for none, and whose template has none.
        """
        call = machine.set_namespace_network(namespace, max_egress, max_allow, default)
        return self._transport.call(call)


class Keys(_Api):
    """API keys; for administrators."""

    def create(
        self, label: Optional[str] = None, *, namespaces: Optional[Sequence[str]] = None
    ) -> Key:
        """Makes a key. Its ``api_key`` is shown this once.

        :param namespaces: that the key may use; left out: all, as an administrator.
        """
        return self._transport.call(machine.create_key(label, namespaces))

    def delete(self, key_id: str) -> None:
        """The key is refused from then on."""
        self._transport.call(machine.delete_key(key_id))

    def list(self) -> List[Key]:
        return self._transport.call(machine.list_keys())
