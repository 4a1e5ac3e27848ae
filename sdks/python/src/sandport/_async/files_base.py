"""What all groups of file methods stand on."""

from __future__ import annotations

from typing import TypeVar

from .._flow import Flow
from .._wire.call import Call, RemotePath
from .._wire.owner import FilesOwner
from .flows import run_flow
from .transport import AsyncTransport

T = TypeVar("T")


class AsyncFilesBase:
    def __init__(self, transport: AsyncTransport, owner: FilesOwner) -> None:
        self._transport = transport
        self._owner = owner

    def _path(self, path: RemotePath) -> RemotePath:
        """Where a path of the caller lies in the sandbox."""
        return path

    async def _call(self, call: Call[T]) -> T:
        return await self._transport.call(call)

    async def _run(self, flow: Flow[T]) -> T:
        return await run_flow(self._transport, flow)
