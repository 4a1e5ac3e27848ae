"""Whose files they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional

from .call import target


@dataclass(frozen=True)
class FilesOwner:
    """A sandbox, or a volume: the file routes lie below either."""

    #: ``sandboxes`` or ``volumes``.
    kind: str
    #: Id of the sandbox, or name of the volume.
    id: str
    #: Of a volume.
    namespace: Optional[str] = None

    @property
    def takes_parts(self) -> bool:
        """True where uploads in parts, which can be resumed, are offered."""
        return self.kind == "sandboxes"

    def target(self, *segments: str, query: Optional[Mapping[str, Optional[str]]] = None) -> str:
        """As :func:`~sandport._wire.call.target`, below the owner."""
        whole = {**(query or {}), "namespace": self.namespace}
        return target(self.kind, self.id, *segments, query=whole)


def of_sandbox(sandbox_id: str) -> FilesOwner:
    return FilesOwner("sandboxes", sandbox_id)


def of_volume(name: str, namespace: str) -> FilesOwner:
    return FilesOwner("volumes", name, namespace)
