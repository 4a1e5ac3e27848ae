"""A daemon, and what it has beside sandboxes."""

from __future__ import annotations

from types import TracebackType
from typing import AsyncGenerator, List, Optional, Type

from .._config import ConnectionConfig
from .._wire import events, machine, ssh
from ..file_models import RetryCallback
from ..life_models import SandboxEvent
from ..resource_models import Kubernetes
from ..ssh_models import Ssh
from .events import follow_events
from .machine import (
    AsyncKeys,
    AsyncNamespaceNetworks,
    AsyncPools,
    AsyncQuotas,
    AsyncSnapshots,
)
from .ssh_keys import AsyncSshKeys
from .templates import AsyncTemplates
from .transport import AsyncTransport
from .volumes import AsyncVolumes


class AsyncClient:
    """A daemon, and what it has beside sandboxes: templates, volumes, snapshots, pools, quotas,
    networks of namespaces, and keys. Sandboxes find their daemon themselves."""

    def __init__(self, url: Optional[str] = None, api_key: Optional[str] = None) -> None:
        """
        :param url: address of the daemon; else ``SANDPORT_URL``, else the user's client.json.
        :param api_key: likewise, else ``SANDPORT_API_KEY``.
        :raises ConfigError: when no daemon is known.
        """
        self._transport = AsyncTransport(ConnectionConfig(url, api_key))
        self.templates = AsyncTemplates(self._transport)
        self.volumes = AsyncVolumes(self._transport)
        self.snapshots = AsyncSnapshots(self._transport)
        self.pools = AsyncPools(self._transport)
        self.quotas = AsyncQuotas(self._transport)
        self.namespace_networks = AsyncNamespaceNetworks(self._transport)
        self.keys = AsyncKeys(self._transport)
        self.ssh_keys = AsyncSshKeys(self._transport)

    @property
    def url(self) -> str:
        """Address of the daemon."""
        return self._transport.config.url

    async def version(self) -> str:
        """Version of the daemon."""
        return await self._transport.call(machine.version())

    async def kubernetes(self) -> Kubernetes:
        """How clients of Kubernetes, as kubectl, reach this daemon. Their token is the API key.

        :raises NotFoundError: when it does not listen for them.
        """
        return await self._transport.call(machine.kubernetes())

    async def ssh(self) -> Ssh:
        """How clients of SSH reach this daemon, and its host key.

        :raises NotFoundError: ``ssh_off`` when it does not listen for them.
        """
        return await self._transport.call(ssh.place())

    async def events(
        self, tail: Optional[int] = None, *, sandbox: Optional[str] = None
    ) -> List[SandboxEvent]:
        """The last events of all sandboxes that the key may see, oldest first.

        :param tail: most events; 50.
        :param sandbox: only of this one, by id or name; one that is gone is known by its id for a
            day.
        """
        return await self._transport.call(events.list_last(sandbox, tail))

    def follow_events(
        self,
        *,
        sandbox: Optional[str] = None,
        tail: int = 0,
        after: Optional[int] = None,
        on_retry: Optional[RetryCallback] = None,
    ) -> AsyncGenerator[SandboxEvent, None]:
        """The same as they happen; see :meth:`AsyncSandbox.follow_events`. Without ``sandbox`` they
        never end."""
        return follow_events(self._transport, sandbox, tail=tail, after=after, on_retry=on_retry)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections. A later call opens them again."""
        await self._transport.aclose()
