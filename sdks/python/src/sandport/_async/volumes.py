"""Volumes."""

from __future__ import annotations

from typing import List, Optional

from .._wire import volumes
from .._wire.owner import of_volume
from ..resource_models import VolumeInfo
from .filesystem import AsyncFilesystem
from .transport import AsyncTransport


class AsyncVolume:
    """Named storage that outlives sandboxes. Its files need no sandbox."""

    def __init__(self, transport: AsyncTransport, info: VolumeInfo) -> None:
        self._transport = transport
        self._info = info
        self._filesystem = AsyncFilesystem(transport, of_volume(info.name, info.namespace))

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def namespace(self) -> str:
        return self._info.namespace

    @property
    def info(self) -> VolumeInfo:
        """All that the daemon said about this volume at the last answer."""
        return self._info

    @property
    def filesystem(self) -> AsyncFilesystem:
        """Its files; ``/`` is its top directory. ``changes`` and links are of sandboxes only."""
        return self._filesystem

    @property
    def files(self) -> AsyncFilesystem:
        """The same as :attr:`filesystem`."""
        return self._filesystem

    async def refresh(self) -> VolumeInfo:
        """Asks the daemon about this volume.

        :raises NotFoundError: when it is gone.
        """
        self._info = await self._transport.call(volumes.get(self.name, self.namespace))
        return self._info

    async def delete(self) -> None:
        """Deletes it and what is in it.

        :raises ConflictError: ``volume_in_use`` while a sandbox mounts it.
        """
        await self._transport.call(volumes.delete(self.name, self.namespace))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.namespace}/{self.name}>"


class AsyncVolumes:
    """All volumes. A volume is also made by the first sandbox that names it."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self, name: str, size_mb: Optional[int] = None, *, namespace: Optional[str] = None
    ) -> AsyncVolume:
        """Makes a volume; no error when it is there with the same size.

        :param name: DNS label.
        :param size_mb: most MiB that it holds; left out: no limit.
        :param namespace: ``default`` when left out.
        :raises ConflictError: ``volume_exists`` with another size.
        """
        info = await self._transport.call(volumes.create(name, namespace, size_mb))
        return AsyncVolume(self._transport, info)

    async def get(self, name: str, *, namespace: Optional[str] = None) -> AsyncVolume:
        """:raises NotFoundError: when there is none."""
        return AsyncVolume(
            self._transport, await self._transport.call(volumes.get(name, namespace))
        )

    async def delete(self, name: str, *, namespace: Optional[str] = None) -> None:
        """Deletes a volume and what is in it.

        :raises ConflictError: ``volume_in_use`` while a sandbox mounts it.
        :raises NotFoundError: when there is none.
        """
        await self._transport.call(volumes.delete(name, namespace))

    async def list(self, *, namespace: Optional[str] = None) -> List[AsyncVolume]:
        """All volumes that this key can see, or those of a namespace."""
        infos = await self._transport.call(volumes.list_all(namespace))
        return [AsyncVolume(self._transport, info) for info in infos]
