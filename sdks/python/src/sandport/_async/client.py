"""The agent-sandbox style of the API: a client that creates sandboxes and keeps track of them."""

from __future__ import annotations

from types import TracebackType
from typing import Dict, List, Mapping, Optional, Tuple, Type, TypeVar

from .._config import ConnectionConfig
from .._wire import client as rules
from .._wire import entries, sandboxes
from .._wire.call import RemotePath
from .._wire.owner import of_sandbox
from ..errors import NotFoundError, SandportError
from ..models import FileEntry, SandboxInfo
from .commands import AsyncCommands
from .filesystem import AsyncFilesystem
from .sandbox import READY_TIMEOUT, AsyncSandbox
from .transport import AsyncTransport

C = TypeVar("C", bound="AsyncClientSandbox")


class AsyncClientFiles(AsyncFilesystem):
    """Files of one sandbox; relative paths start at ``/home/user``."""

    def _path(self, path: RemotePath) -> RemotePath:
        return rules.from_home(path)

    async def list(
        self,
        path: RemotePath = ".",
        *,
        recursive: bool = False,
        depth: Optional[int] = None,
        glob: Optional[str] = None,
        hidden: bool = True,
        type: Optional[str] = None,
        checksum: bool = False,
    ) -> List[FileEntry]:
        """Entries of a directory, sorted by name. Symlinks are described as what they point at,
        at the cost of one more request each; broken ones keep the type ``symlink``."""
        found = await super().list(
            path,
            recursive=recursive,
            depth=depth,
            glob=glob,
            hidden=hidden,
            type=type,
            checksum=checksum,
        )
        return [await self._followed(entry) for entry in found]

    async def _followed(self, entry: FileEntry) -> FileEntry:
        if entry.type != "symlink":
            return entry
        try:
            return rules.with_target_type(entry, await self.stat(entry.path))
        except SandportError as error:
            if entries.means_missing(error):
                return entry
            raise

    async def delete(self, path: RemotePath, recursive: bool = False) -> None:
        """The same as :meth:`remove`."""
        await self.remove(path, recursive=recursive)


class AsyncClientCommands(AsyncCommands):
    """AsyncCommands in one sandbox; they are ended after 60 seconds unless told otherwise."""

    default_timeout = rules.COMMAND_TIMEOUT


class AsyncClientSandbox(AsyncSandbox):
    """A sandbox of a :class:`AsyncSandboxClient`."""

    def __init__(
        self,
        transport: AsyncTransport,
        info: SandboxInfo,
        owner: Optional[AsyncSandboxClient] = None,
    ) -> None:
        super().__init__(transport, info)
        self._client = owner
        self._filesystem: AsyncClientFiles = AsyncClientFiles(transport, of_sandbox(info.id))
        self._commands = AsyncClientCommands(transport, info.id)

    @property
    def files(self) -> AsyncClientFiles:
        """Its files; relative paths start at ``/home/user``."""
        return self._filesystem

    @property
    def filesystem(self) -> AsyncClientFiles:
        """The same as :attr:`files`."""
        return self._filesystem

    @property
    def claim_name(self) -> str:
        """What :meth:`AsyncSandboxClient.get_sandbox` takes: the id."""
        return self.id

    @property
    def sandbox_id(self) -> str:
        return self.id

    @property
    def namespace(self) -> str:
        return self._info.namespace

    def _another(self: C, info: SandboxInfo) -> C:
        """Of the same client, which keeps track of it too."""
        made = type(self)(self._transport, info, self._client)
        if self._client is not None:
            self._client._active[info.id] = made
        return made

    async def kill(self) -> None:
        """Deletes the sandbox and its files. No error when it is already gone."""
        await super().kill()
        if self._client is not None:
            self._client._forget(self.id)

    async def aclose(self) -> None:
        """Does nothing: the connections belong to the client."""


class AsyncSandboxClient:
    """Creates sandboxes and keeps track of those that it created.

    As a context manager it deletes them at the end of the block.
    """

    def __init__(self, connection_config: Optional[ConnectionConfig] = None) -> None:
        """
        :param connection_config: how to reach the daemon; what it leaves out is looked up.
        :raises ConfigError: when no daemon is known.
        """
        self._transport = AsyncTransport(connection_config)
        self._active: Dict[str, AsyncClientSandbox] = {}

    async def create_sandbox(
        self,
        template: str = "default",
        namespace: str = "default",
        sandbox_ready_timeout: float = READY_TIMEOUT,
        labels: Optional[Mapping[str, str]] = None,
        *,
        shutdown_after_seconds: Optional[int] = None,
    ) -> AsyncClientSandbox:
        """Starts a sandbox and returns when it takes commands.

        :param sandbox_ready_timeout: seconds to wait for it.
        :param labels: kept as its metadata.
        :param shutdown_after_seconds: seconds after which it is deleted; None: never.
        """
        call = sandboxes.create(
            template=template,
            namespace=namespace,
            metadata=rules.labels_as_metadata(labels),
            ttl_seconds=shutdown_after_seconds,
            ready_timeout=sandbox_ready_timeout,
        )
        return self._track(await self._transport.call(call))

    async def get_sandbox(
        self, claim_name: str, namespace: str = "default", resolve_timeout: float = 30
    ) -> AsyncClientSandbox:
        """An existing sandbox by its id or name. This client then keeps track of it.

        :param resolve_timeout: seconds to wait for the answer.
        :raises NotFoundError: when the namespace has none.
        """
        info = await self._transport.call(sandboxes.get(claim_name, resolve_timeout))
        sandboxes.in_namespace(info, namespace)
        known = self._active.get(info.id)
        return known or self._track(info)

    def list_active_sandboxes(self) -> List[Tuple[str, str]]:
        """``(namespace, claim_name)`` of each sandbox that this client keeps track of."""
        return [(item.namespace, item.claim_name) for item in self._active.values()]

    async def list_all_sandboxes(
        self, namespace: str = "default", label_selector: Optional[str] = None
    ) -> List[str]:
        """Claim names of all sandboxes of a namespace.

        :param label_selector: ``KEY=VALUE,...``: only those with these labels.
        """
        names: List[str] = []
        cursor: Optional[str] = None
        metadata = rules.parse_label_selector(label_selector)
        while True:
            page, cursor = await self._transport.call(
                sandboxes.list_page(namespace=namespace, metadata=metadata, cursor=cursor)
            )
            names.extend(info.id for info in page)
            if cursor is None:
                return names

    async def delete_sandbox(self, claim_name: str, namespace: str = "default") -> None:
        """Deletes a sandbox by its id or name. No error when there is none."""
        try:
            info = await self._transport.call(sandboxes.get(claim_name))
            sandboxes.in_namespace(info, namespace)
            await self._transport.call(sandboxes.delete(info.id))
        except NotFoundError as error:
            if error.code != "sandbox_not_found":
                raise
            self._forget(claim_name)
        else:
            self._forget(info.id)

    async def delete_all(self) -> None:
        """Deletes every sandbox that this client keeps track of.

        Tries all of them before it raises the first error.
        """
        active = list(self._active.values())
        first: Optional[SandportError] = None
        for sandbox in active:
            try:
                await sandbox.kill()
            except SandportError as error:
                first = first or error
        if first is not None:
            raise first

    def _track(self, info: SandboxInfo) -> AsyncClientSandbox:
        sandbox = AsyncClientSandbox(self._transport, info, self)
        self._active[info.id] = sandbox
        return sandbox

    def _forget(self, sandbox_id: str) -> None:
        self._active.pop(sandbox_id, None)

    async def __aenter__(self) -> AsyncSandboxClient:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            await self.delete_all()
        except SandportError:
            if exc is None:
                raise
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections; sandboxes go on. A later call opens them again."""
        await self._transport.aclose()
