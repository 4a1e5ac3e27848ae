"""What a sandbox is, which state it is in, and how long it stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, AsyncGenerator, List, Mapping, Optional

from .._wire import events, lifecycle, sandboxes
from .._wire.call import given
from .._wire.network import NetworkSpec
from .._wire.snapshots import SnapshotSpec
from ..file_models import RetryCallback
from ..life_models import Lifecycle, Metrics, PromoteResult, SandboxEvent, WakeResult
from ..models import SandboxInfo
from ..network_models import Network
from ..resource_models import Snapshot
from .events import follow_events
from .transport import AsyncTransport


class AsyncSandboxState:
    """The part of :class:`AsyncSandbox` that is about its life."""

    def __init__(self, transport: AsyncTransport, info: SandboxInfo) -> None:
        self._transport = transport
        self._info = info

    @property
    def id(self) -> str:
        return self._info.id

    @property
    def name(self) -> Optional[str]:
        return self._info.name

    @property
    def template(self) -> str:
        return self._info.template

    @property
    def status(self) -> str:
        """State at the last answer about this sandbox; :meth:`refresh` asks again."""
        return self._info.status

    @property
    def network(self) -> Network:
        """What it may reach, at the last answer; ``update(network=...)`` changes it."""
        return self._info.network

    @property
    def info(self) -> SandboxInfo:
        """All that the daemon said about this sandbox at the last answer."""
        return self._info

    async def refresh(self) -> SandboxInfo:
        """Asks the daemon about this sandbox.

        :raises NotFoundError: when it is gone.
        """
        self._info = await self._transport.call(sandboxes.get(self.id))
        return self._info

    async def pause(self) -> SandboxInfo:
        """Freezes all processes where they are. Files are still read and written; commands are
        refused until :meth:`resume`. No error when it is paused.

        :raises ConflictError: ``invalid_state``.
        """
        return await self._change("pause")

    async def resume(self) -> SandboxInfo:
        """Lets a paused sandbox go on. No error when it runs."""
        return await self._change("resume")

    async def hibernate(self) -> SandboxInfo:
        """Ends the processes and gives their memory back to the machine. With ``gvisor`` they are
        kept on the disk: ``memory`` of the answer tells. A command or a write wakes the sandbox,
        and its result has ``woke`` then. No error when it is hibernated."""
        return await self._change("hibernate")

    async def wake(self) -> WakeResult:
        """Gives a hibernated or failed sandbox its processes back. No error when it runs.

        ``memory`` of the answer is False when it began afresh from its disk.
        """
        result = await self._transport.call(lifecycle.wake(self.id))
        self._info = result.info
        return result

    async def restore(self, snapshot: SnapshotSpec) -> WakeResult:
        """Puts the state of a snapshot in the place of the sandbox's own; what was written since
        is lost. Id, name and volumes stay.

        :param snapshot: one of :meth:`snapshot`, or its id or name.
        :raises NotFoundError: ``snapshot_not_found``.
        """
        result = await self._transport.call(lifecycle.restore(self.id, snapshot))
        self._info = result.info
        return result

    async def snapshot(
        self,
        name: Optional[str] = None,
        *,
        memory: Optional[bool] = None,
        metadata: Optional[Mapping[str, str]] = None,
    ) -> Snapshot:
        """Freezes the state under an id of its own, which outlives the sandbox. It goes on.

        :param name: unique within the namespace.
        :param memory: with processes and memory; left out: where the isolation can.
        :raises ConflictError: ``name_taken`` or ``invalid_state``.
        """
        call = lifecycle.snapshot(self.id, name, memory, metadata)
        return await self._transport.call(call)

    async def snapshots(self) -> List[Snapshot]:
        """Snapshots of this sandbox, newest first."""
        return await self._transport.call(lifecycle.snapshots(self.id))

    async def promote(
        self, *, cleanup_siblings: Optional[bool] = None, tree_id: Optional[str] = None
    ) -> PromoteResult:
        """Makes a child the keeper of its fork tree.

        :param cleanup_siblings: delete the other children of the tree; left out: they stay.
        :param tree_id: left out: the tree that the sandbox is of.
        """
        return await self._transport.call(lifecycle.promote(self.id, cleanup_siblings, tree_id))

    async def update(
        self,
        *,
        resources: Optional[Mapping[str, Any]] = None,
        metadata: Optional[Mapping[str, str]] = None,
        env: Optional[Mapping[str, str]] = None,
        network: Optional[NetworkSpec] = None,
    ) -> SandboxInfo:
        """Changes a sandbox that lives. What is left out stays as it is.

        :param resources: new limits: ``cpu`` (cores), ``memory_mb``, ``disk_mb``, ``pids``.
        :param metadata: replaces all labels.
        :param env: replaces the environment of later commands.
        :param network: replaces what it may reach; connections that are no longer allowed end.
        """
        call = lifecycle.update(self.id, resources, metadata, env, network)
        self._info = await self._transport.call(call)
        return self._info

    async def lifecycle(
        self,
        *,
        ttl_seconds: Optional[int] = None,
        persistent: Optional[bool] = None,
        idle_timeout_seconds: Optional[int] = None,
        idle_action: Optional[str] = None,
    ) -> Lifecycle:
        """How long the sandbox stays; with arguments, changes it. What is left out stays as it is.

        :param ttl_seconds: seconds from now at which it is deleted; 0: never.
        :param persistent: True: ``ttl_seconds`` does not delete it.
        :param idle_timeout_seconds: seconds without a command or a transfer after which
            ``idle_action`` comes; 0: never.
        :param idle_action: ``hibernate`` or ``kill``.
        """
        changes = given(
            ttl_seconds=ttl_seconds,
            persistent=persistent,
            idle_timeout_seconds=idle_timeout_seconds,
            idle_action=idle_action,
        )
        if not changes:
            return await self._transport.call(lifecycle.get_lifecycle(self.id))
        changed = await self._transport.call(lifecycle.change_lifecycle(self.id, changes))
        self._info = lifecycle.with_lifecycle(self._info, changed)
        return changed

    async def set_ttl(self, seconds: int) -> Lifecycle:
        """Seconds from now at which the sandbox is deleted; 0: never."""
        return await self.lifecycle(ttl_seconds=seconds)

    async def set_persistent(self, persistent: bool) -> Lifecycle:
        """True: the time to live does not delete the sandbox."""
        return await self.lifecycle(persistent=persistent)

    async def set_idle_timeout(self, seconds: int, action: Optional[str] = None) -> Lifecycle:
        """Seconds without a command or a transfer after which the sandbox is put away; 0: never.

        :param action: ``hibernate`` or ``kill``; left out: as it is.
        """
        return await self.lifecycle(idle_timeout_seconds=seconds, idle_action=action)

    async def metrics(self, history_seconds: Optional[int] = None) -> Metrics:
        """What the sandbox uses, now and before.

        :param history_seconds: most seconds of history; 3600.
        """
        return await self._transport.call(lifecycle.metrics(self.id, history_seconds))

    async def events(self, tail: Optional[int] = None) -> List[SandboxEvent]:
        """The last things that happened to the sandbox, oldest first.

        :param tail: most events; 50.
        """
        return await self._transport.call(events.list_last(self.id, tail))

    def follow_events(
        self,
        *,
        tail: int = 0,
        after: Optional[int] = None,
        on_retry: Optional[RetryCallback] = None,
    ) -> AsyncGenerator[SandboxEvent, None]:
        """What happens to the sandbox, as it happens. A broken connection is made again, and no
        event is missed or told twice. Ends when the sandbox is gone; after a ``break``,
        ``aclose()`` of it ends the connection.

        >>> async for event in sandbox.follow_events():
        ...     print(event.type)

        :param tail: begin with so many events that have happened already.
        :param after: begin behind the event with this id instead.
        :param on_retry: called when the connection broke, before each try to make it again.
        :raises NetworkError: when the daemon is away for a minute.
        """
        return follow_events(self._transport, self.id, tail=tail, after=after, on_retry=on_retry)

    async def _change(self, change: str) -> SandboxInfo:
        self._info = await self._transport.call(lifecycle.change_state(self.id, change))
        return self._info

    def _deleted(self) -> None:
        self._info = replace(self._info, status="deleted")
