"""What all groups of file methods stand on."""

from __future__ import annotations

from typing import TypeVar

from .._flow import Flow
from .._wire.call import Call, RemotePath
from .._wire.owner import FilesOwner
from .flows import run_flow
from .transport import Transport

T = TypeVar("T")


class FilesBase:
    def __init__(self, transport: Transport, owner: FilesOwner) -> None:
        self._transport = transport
        self._owner = owner

    def _path(self, path: RemotePath) -> RemotePath:
        """Where a path of the caller lies in the sandbox."""
        return path

    def _call(self, call: Call[T]) -> T:
        return self._transport.call(call)

    def _run(self, flow: Flow[T]) -> T:
        return run_flow(self._transport, flow)
