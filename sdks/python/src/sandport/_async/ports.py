"""Ports of one sandbox."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .._wire import ports
from ..port_models import Port, SignedPreview
from .transport import AsyncTransport


class AsyncPorts:
    """What listens in a sandbox, and the ways to it."""

    def __init__(self, transport: AsyncTransport, sandbox_id: str) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id

    async def expose(
        self, port: int, *, label: Optional[str] = None, visibility: Optional[str] = None
    ) -> Port:
        """Gives a port an address for browsers, or changes who may use it.

        :param label: for people.
        :param visibility: ``private``, for those with a key or a signed link; or ``public``, for
            everybody. ``private`` when left out, or what it was.
        """
        return await self._transport.call(ports.expose(self._sandbox_id, port, label, visibility))

    async def unexpose(self, port: int) -> None:
        """Takes the address away; signed links stay good until they expire.

        :raises NotFoundError: ``port_not_exposed``.
        """
        await self._transport.call(ports.unexpose(self._sandbox_id, port))

    async def sign(
        self,
        port: int,
        *,
        ttl_seconds: Optional[int] = None,
        paths: Optional[Sequence[str]] = None,
    ) -> SignedPreview:
        """Makes a link that works without a key, whether the port is exposed or not.

        :param ttl_seconds: at most 604,800, seven days; 3600 when left out.
        :param paths: the link leads to these and what is below them; to all when left out.
        """
        return await self._transport.call(ports.sign(self._sandbox_id, port, ttl_seconds, paths))

    async def list(self) -> List[Port]:
        """Ports that were exposed, and those on which the sandbox listens; does not wake it."""
        return await self._transport.call(ports.list_all(self._sandbox_id))
