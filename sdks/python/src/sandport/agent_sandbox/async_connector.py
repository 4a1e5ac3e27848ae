"""What leads from a handle to its sandbox."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Optional, TypeVar

from .._async.filesystem import AsyncFilesystem
from .._wire.call import Call
from .._wire.owner import of_sandbox
from ._async.claims import AsyncClaims
from ._async.timed_transport import AsyncTimedTransport
from ._rules.claims import Place
from ._rules.errors import as_request_errors
from ._rules.timeouts import read_timeout
from .exceptions import SandboxRequestError
from .models import SandboxConnectionConfig, SandboxLocalTunnelConnectionConfig

T = TypeVar("T")


class AsyncSandboxConnector:
    """Leads to one sandbox of the daemon. There is no tunnel and no router in between, so that
    there is nothing to open and nothing to choose."""

    def __init__(
        self,
        sandbox_id: str,
        namespace: str = "default",
        connection_config: Optional[SandboxConnectionConfig] = None,
        k8s_helper: Optional[AsyncClaims] = None,
        **_other: Any,
    ) -> None:
        """:raises SandboxError: when no daemon is known."""
        #: Name of the sandbox.
        self.id = sandbox_id
        self.namespace = namespace
        self.connection_config = connection_config or SandboxLocalTunnelConnectionConfig()
        self._claims = k8s_helper or AsyncClaims()

    async def connect(self) -> str:
        """Address of the daemon."""
        return self._claims.transport.config.url

    async def close(self) -> None:
        """Does nothing: connections are shared by all sandboxes."""

    def is_sandboxd(self) -> bool:
        """True: all that the newer runtime can do, this can."""
        return True

    async def send_request(self, method: str, endpoint: str, **kwargs: Any) -> Any:
        """:raises NotImplementedError: always."""
        raise NotImplementedError(
            f"{method} {endpoint}: there is no HTTP server of a runtime behind this handle; use "
            "its files and commands."
        )

    @asynccontextmanager
    async def place(self, what: str = "") -> AsyncIterator[Place]:
        """The sandbox for the requests of the block, whose errors become those of the
        agent-sandbox API."""
        try:
            with as_request_errors(what):
                yield await self._claims.place_of(self.id, self.namespace)
        except SandboxRequestError as error:
            if error.status_code == 502:
                self._claims.forget(self.id, self.namespace)
            raise

    async def call(self, call: Call[T]) -> T:
        """One request to the daemon, inside the block of :meth:`place`."""
        return await self._claims.transport.call(call)

    def files(self, place: Place, timeout: Any) -> AsyncFilesystem:
        """Its files for one call of so many seconds, inside the block of :meth:`place`.

        :raises ValueError: for what is no time.
        """
        transport = AsyncTimedTransport(self._claims.transport, read_timeout(timeout))
        return AsyncFilesystem(transport, of_sandbox(place.id))
