"""Volumes."""

from __future__ import annotations

from typing import List, Optional

from .._wire import volumes
from .._wire.owner import of_volume
from ..resource_models import VolumeInfo
from .filesystem import Filesystem
from .transport import Transport


class Volume:
    """Named storage that outlives sandboxes. Its files need no sandbox."""

    def __init__(self, transport: Transport, info: VolumeInfo) -> None:
        self._transport = transport
        self._info = info
        self._filesystem = Filesystem(transport, of_volume(info.name, info.namespace))

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
    def filesystem(self) -> Filesystem:
        """Its files; ``/`` is its top directory. ``changes`` and links are of sandboxes only."""
        return self._filesystem

    @property
    def files(self) -> Filesystem:
        """The same as :attr:`filesystem`."""
        return self._filesystem

    def refresh(self) -> VolumeInfo:
        """Asks the daemon about this volume.

        :raises NotFoundError: when it is gone.
        """
        self._info = self._transport.call(volumes.get(self.name, self.namespace))
        return self._info

    def delete(self) -> None:
        """Deletes it and what is in it.

        :raises ConflictError: ``volume_in_use`` while a sandbox mounts it.
        """
        self._transport.call(volumes.delete(self.name, self.namespace))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.namespace}/{self.name}>"


class Volumes:
    """All volumes. A volume is also made by the first sandbox that names it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, name: str, size_mb: Optional[int] = None, *, namespace: Optional[str] = None
    ) -> Volume:
        """Makes a volume; no error when it is there with the same size.

        :param name: DNS label.
        :param size_mb: most MiB that it holds; left out: no limit.
        :param namespace: ``default`` when left out.
        :raises ConflictError: ``volume_exists`` with another size.
        """
        info = self._transport.call(volumes.create(name, namespace, size_mb))
        return Volume(self._transport, info)

    def get(self, name: str, *, namespace: Optional[str] = None) -> Volume:
        """:raises NotFoundError: when there is none."""
        return Volume(self._transport, self._transport.call(volumes.get(name, namespace)))

    def delete(self, name: str, *, namespace: Optional[str] = None) -> None:
        """Deletes a volume and what is in it.

        :raises ConflictError: ``volume_in_use`` while a sandbox mounts it.
        :raises NotFoundError: when there is none.
        """
        self._transport.call(volumes.delete(name, namespace))

    def list(self, *, namespace: Optional[str] = None) -> List[Volume]:
        """All volumes that this key can see, or those of a namespace."""
        infos = self._transport.call(volumes.list_all(namespace))
        return [Volume(self._transport, info) for info in infos]
