"""A daemon, and what it has beside sandboxes."""

from __future__ import annotations

from typing import Generator, List, Optional

from .._config import ConnectionConfig
from .._wire import events, machine, ssh
from ..file_models import RetryCallback
from ..life_models import SandboxEvent
from ..resource_models import Kubernetes
from ..ssh_models import Ssh
from .events import follow_events
from .machine import Keys, NamespaceNetworks, Pools, Quotas, Snapshots
from .ssh_keys import SshKeys
from .templates import Templates
from .transport import shared_transport
from .volumes import Volumes


class Client:
    """A daemon, and what it has beside sandboxes: templates, volumes, snapshots, pools, quotas,
    networks of namespaces, and keys. Sandboxes find their daemon themselves."""

    def __init__(self, url: Optional[str] = None, api_key: Optional[str] = None) -> None:
        """
        :param url: address of the daemon; else ``SANDPORT_URL``, else the user's client.json.
        :param api_key: likewise, else ``SANDPORT_API_KEY``.
        :raises ConfigError: when no daemon is known.
        """
        self._transport = shared_transport(ConnectionConfig(url, api_key))
        self.templates = Templates(self._transport)
        self.volumes = Volumes(self._transport)
        self.snapshots = Snapshots(self._transport)
        self.pools = Pools(self._transport)
        self.quotas = Quotas(self._transport)
        self.namespace_networks = NamespaceNetworks(self._transport)
        self.keys = Keys(self._transport)
        self.ssh_keys = SshKeys(self._transport)

    @property
    def url(self) -> str:
        """Address of the daemon."""
        return self._transport.config.url

    def version(self) -> str:
        """Version of the daemon."""
        return self._transport.call(machine.version())

    def kubernetes(self) -> Kubernetes:
        """How clients of Kubernetes, as kubectl, reach this daemon. Their token is the API key.

        :raises NotFoundError: when it does not listen for them.
        """
        return self._transport.call(machine.kubernetes())

    def ssh(self) -> Ssh:
        """How clients of SSH reach this daemon, and its host key.

        :raises NotFoundError: ``ssh_off`` when it does not listen for them.
        """
        return self._transport.call(ssh.place())

    def events(
        self, tail: Optional[int] = None, *, sandbox: Optional[str] = None
    ) -> List[SandboxEvent]:
        """The last events of all sandboxes that the key may see, oldest first.

        :param tail: most events; 50.
        :param sandbox: only of this one, by id or name; one that is gone is known by its id for a
            day.
        """
        return self._transport.call(events.list_last(sandbox, tail))

    def follow_events(
        self,
        *,
        sandbox: Optional[str] = None,
        tail: int = 0,
        after: Optional[int] = None,
        on_retry: Optional[RetryCallback] = None,
    ) -> Generator[SandboxEvent, None, None]:
        """The same as they happen; see :meth:`Sandbox.follow_events`. Without ``sandbox`` they
        never end."""
        return follow_events(self._transport, sandbox, tail=tail, after=after, on_retry=on_retry)
