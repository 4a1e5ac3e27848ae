"""One sandbox."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from .._config import ConnectionConfig
from .._wire import lifecycle, sandboxes
from .._wire.call import Call
from .._wire.commands import Command
from .._wire.network import NetworkSpec
from .._wire.output_text import OutputCallback
from .._wire.owner import of_sandbox
from .._wire.sandboxes import VolumeSpec
from .._wire.snapshots import SnapshotSpec
from ..errors import NotFoundError, SandportError
from ..explore_models import BranchOutcome, Candidate, ExploreResult, Select
from ..life_models import ForkTree
from ..models import ExecResult, SandboxInfo
from .commands import AsyncCommands
from .explore import ExploreOptions, explore
from .filesystem import AsyncFilesystem
from .pty import AsyncPty
from .sandbox_services import AsyncSandboxServices
from .transport import AsyncTransport

S = TypeVar("S", bound="AsyncSandbox")

#: Seconds that a sandbox may take to start.
READY_TIMEOUT = 180.0


class AsyncSandbox(AsyncSandboxServices):
    """An isolated Linux environment. As a context manager it is deleted at the end of the block.

    Made by :meth:`create`, :meth:`get` or :meth:`list`.
    """

    def __init__(self, transport: AsyncTransport, info: SandboxInfo) -> None:
        super().__init__(transport, info)
        self._filesystem = AsyncFilesystem(transport, of_sandbox(info.id))
        self._commands = AsyncCommands(transport, info.id)
        self._pty = AsyncPty(transport, info.id)

    @classmethod
    async def create(
        cls: Type[S],
        template: Optional[str] = None,
        *,
        volumes: Optional[Sequence[VolumeSpec]] = None,
        network: Optional[NetworkSpec] = None,
        namespace: Optional[str] = None,
        name: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
        env: Optional[Mapping[str, str]] = None,
        from_snapshot: Optional[SnapshotSpec] = None,
        memory: Optional[bool] = None,
        ttl_seconds: Optional[int] = None,
        persistent: Optional[bool] = None,
        idle_timeout_seconds: Optional[int] = None,
        idle_action: Optional[str] = None,
        resources: Optional[Mapping[str, Any]] = None,
        user: Optional[str] = None,
        workdir: Optional[str] = None,
        isolation: Optional[str] = None,
        url: Optional[str] = None,
        api_key: Optional[str] = None,
    ) -> S:
        """Starts a sandbox and returns when it takes commands.

        :param template: name or alias; when left out the daemon's ``default``, or that of the
            snapshot.
        :param volumes: each ``{"name": ..., "read_only": ..., "path": ..., "size_mb": ...}`` or a
            :class:`~sandport.VolumeMount`; mounted at ``/mnt/{name}`` unless told otherwise.
        :param network: what it may reach, a :class:`~sandport.Network` or ``{"egress": ...,
            "allow": [...], "bandwidth_mbps": ...}``; nothing but itself when left out.
        :param namespace: compartment of the sandbox; ``default`` when left out.
        :param name: DNS label, unique within the namespace.
        :param metadata: labels, by which :meth:`list` can filter.
        :param env: environment of every command.
        :param from_snapshot: snapshot to begin with, its id or its name.
        :param memory: False: begin with the disk of the snapshot only; left out: with memory where
            it has it.
        :param ttl_seconds: seconds after which the sandbox is deleted; 0 or left out: never.
        :param persistent: True: ``ttl_seconds`` does not delete it.
        :param idle_timeout_seconds: seconds without a command or a transfer after which
            ``idle_action`` comes; 0 or left out: never.
        :param idle_action: ``hibernate`` when left out, or ``kill``.
        :param resources: ``cpu`` (cores), ``memory_mb``, ``disk_mb``, ``pids``.
        :param user: user that commands run as and that files belong to.
        :param workdir: directory of commands.
        :param isolation: ``gvisor`` or ``container``; the strongest that works when left out.
        :param url: address of the daemon; else ``SANDPORT_URL``, else the user's client.json.
        :param api_key: likewise, else ``SANDPORT_API_KEY``.
        """
        transport = AsyncTransport(ConnectionConfig(url, api_key))
        call = sandboxes.create(
            template=template,
            volumes=volumes,
            network=network,
            namespace=namespace,
            name=name,
            metadata=metadata,
            env=env,
            from_snapshot=from_snapshot,
            memory=memory,
            ttl_seconds=ttl_seconds,
            persistent=persistent,
            idle_timeout_seconds=idle_timeout_seconds,
            idle_action=idle_action,
            resources=resources,
            user=user,
            workdir=workdir,
            isolation=isolation,
            ready_timeout=READY_TIMEOUT,
        )
        return await cls._first_answer(transport, call)

    @classmethod
    async def _first_answer(cls: Type[S], transport: AsyncTransport, call: Call[SandboxInfo]) -> S:
        try:
            return cls(transport, await transport.call(call))
        except BaseException:
            await transport.aclose()
            raise

    @classmethod
    async def get(
        cls: Type[S],
        sandbox: str,
        *,
        url: Optional[str] = None,
        api_key: Optional[str] = None,
    ) -> S:
        """An existing sandbox by its id or name.

        :raises NotFoundError: when there is none.
        """
        transport = AsyncTransport(ConnectionConfig(url, api_key))
        return await cls._first_answer(transport, sandboxes.get(sandbox))

    @classmethod
    async def connect(
        cls: Type[S],
        sandbox: str,
        *,
        url: Optional[str] = None,
        api_key: Optional[str] = None,
    ) -> S:
        """The same as :meth:`get`."""
        return await cls.get(sandbox, url=url, api_key=api_key)

    @classmethod
    async def list(
        cls: Type[S],
        *,
        template: Optional[str] = None,
        status: Optional[str] = None,
        namespace: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
        url: Optional[str] = None,
        api_key: Optional[str] = None,
    ) -> List[S]:
        """All sandboxes that this key can see and that match all that is given."""
        config = ConnectionConfig(url, api_key)
        transport = AsyncTransport(config)
        found: List[SandboxInfo] = []
        cursor: Optional[str] = None
        try:
            while True:
                call = sandboxes.list_page(
                    template=template,
                    status=status,
                    namespace=namespace,
                    metadata=metadata,
                    cursor=cursor,
                )
                page, cursor = await transport.call(call)
                found.extend(page)
                if cursor is None:
                    break
        finally:
            await transport.aclose()
        # Each has connections of its own, so that closing one does not disturb the others.
        return [cls(AsyncTransport(config), info) for info in found]

    @property
    def filesystem(self) -> AsyncFilesystem:
        """Its files."""
        return self._filesystem

    @property
    def files(self) -> AsyncFilesystem:
        """The same as :attr:`filesystem`."""
        return self._filesystem

    @property
    def commands(self) -> AsyncCommands:
        """Its commands."""
        return self._commands

    @property
    def pty(self) -> AsyncPty:
        """Its terminals."""
        return self._pty

    async def exec(
        self,
        cmd: Command,
        timeout_seconds: Optional[float] = None,
        check: bool = False,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[str, bytes, None] = None,
    ) -> ExecResult:
        """Runs a command; see :meth:`AsyncCommands.run`."""
        return await self._commands.run(
            cmd, timeout_seconds, cwd=cwd, env=env, user=user, stdin=stdin, check=check
        )

    async def exec_stream(
        self,
        cmd: Command,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        timeout_seconds: Optional[float] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[str, bytes, None] = None,
    ) -> int:
        """Runs a command, hands on its output as it arrives, and gives its exit code."""
        return await self._commands.stream(
            cmd, on_stdout, on_stderr, timeout_seconds, cwd=cwd, env=env, user=user, stdin=stdin
        )

    async def fork(
        self: S,
        metadata: Optional[Mapping[str, str]] = None,
        *,
        memory: Optional[bool] = None,
    ) -> S:
        """A running copy of this sandbox, with its disk, and with its processes where the isolation
        can. Volumes are shared. This sandbox goes on; a hibernated one stays so.

        :param metadata: merged over the labels of this one.
        :param memory: True: with the processes, or an error; False: with the disk only.
        :raises ConflictError: ``invalid_state`` when it has failed.
        :raises BadRequestError: ``memory_unavailable``.
        """
        return self._another(await self._transport.call(lifecycle.fork(self.id, memory, metadata)))

    async def fork_tree(
        self: S,
        count: int = 2,
        metadata: Optional[Mapping[str, str]] = None,
        *,
        memory: Optional[bool] = None,
    ) -> ForkTree[S]:
        """Several copies of one moment of this sandbox, to be tried against each other.

        :param count: up to 16; those that could not be made are in ``errors`` of the result.
        :param metadata: merged over the labels of this one.
        :param memory: True: with the processes, or an error; False: with the disk only.
        """
        call = lifecycle.fork_tree(self.id, count, memory, metadata)
        return (await self._transport.call(call)).tree(self._another)

    async def explore(
        self: S,
        candidates: Sequence[Union[str, Candidate[S]]],
        *,
        score_fn: Optional[Callable[[S, BranchOutcome[S]], Any]] = None,
        select: Select[S] = "max",
        require_success: bool = True,
        max_concurrency: int = 4,
        cleanup_losers: bool = True,
        promote_winner: bool = True,
        capture_files: Union[bool, str] = False,
        ttl_seconds: int = 600,
        memory: Optional[bool] = None,
        on_outcome: Optional[Callable[[BranchOutcome[S]], None]] = None,
    ) -> ExploreResult[S]:
        """Tries each candidate in a copy of its own of this sandbox, and keeps the best one; the
        others are deleted, whatever happens.

        >>> result = await sandbox.explore(
        ...     ["python solve.py --greedy", "python solve.py --dynamic"],
        ...     score_fn=lambda box, outcome: -outcome.duration_ms,
        ... )
        >>> result.winner.files.read_text("/workspace/answer.txt")

        :param candidates: up to 16 commands or :class:`~sandport.Candidate`.
        :param score_fn: how good an outcome is; left out: 1 when it succeeded, else 0.
        :param select: ``max``, ``min``, or a function that chooses one of the outcomes that can
            win. Of equal scores the faster candidate wins.
        :param require_success: only what succeeded can win.
        :param max_concurrency: candidates that run at one time.
        :param cleanup_losers: delete the copies that did not win.
        :param promote_winner: make the winner the keeper of its fork tree.
        :param capture_files: tell which files changed; or only those below this path.
        :param ttl_seconds: seconds after which copies are deleted when this program does not come
            to it; 0: never.
        :param memory: copies with the processes of this sandbox; left out: where the isolation can.
        :param on_outcome: called with each outcome as it comes.
        :raises ExploreError: when none succeeds; with ``.outcomes``.
        """
        options = ExploreOptions(
            score_fn,
            select,
            require_success,
            max_concurrency,
            cleanup_losers,
            promote_winner,
            capture_files,
            ttl_seconds,
            memory,
            on_outcome,
        )
        return await explore(self, candidates, options)

    def _another(self: S, info: SandboxInfo) -> S:
        """A sandbox of the same daemon, with connections of its own."""
        config = self._transport.config
        again = ConnectionConfig(
            config.url, config.api_key, config.connect_timeout, config.idle_timeout
        )
        return type(self)(AsyncTransport(again), info)

    async def kill(self) -> None:
        """Deletes the sandbox and its files, and closes the connections; volumes stay. No error
        when it is already gone."""
        try:
            await self._transport.call(sandboxes.delete(self.id))
        except NotFoundError as error:
            if error.code != "sandbox_not_found":
                raise
        finally:
            await self.aclose()
        self._deleted()

    async def aclose(self) -> None:
        """Closes the connections; the sandbox goes on. A later call opens them again."""
        await self._transport.aclose()

    async def terminate(self) -> None:
        """The same as :meth:`kill`."""
        await self.kill()

    async def __aenter__(self: S) -> S:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            await self.kill()
        except SandportError:
            if exc is None:  # The error of the block matters more.
                raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.template} {self.status}>"
