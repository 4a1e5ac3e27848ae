"""What leads from a handle to its sandbox."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Optional, TypeVar

from .._sync.filesystem import Filesystem
from .._wire.call import Call
from .._wire.owner import of_sandbox
from ._rules.claims import Place
from ._rules.errors import as_request_errors
from ._rules.timeouts import read_timeout
from ._sync.claims import Claims
from ._sync.timed_transport import TimedTransport
from .exceptions import SandboxRequestError
from .models import SandboxConnectionConfig, SandboxLocalTunnelConnectionConfig

T = TypeVar("T")


class SandboxConnector:
    """Leads to one sandbox of the daemon. There is no tunnel and no router in between, so that
    there is nothing to open and nothing to choose."""

    def __init__(
        self,
        sandbox_id: str,
        namespace: str = "default",
        connection_config: Optional[SandboxConnectionConfig] = None,
        k8s_helper: Optional[Claims] = None,
        **_other: Any,
    ) -> None:
        """:raises SandboxError: when no daemon is known."""
        #: Name of the sandbox.
        self.id = sandbox_id
        self.namespace = namespace
        self.connection_config = connection_config or SandboxLocalTunnelConnectionConfig()
        self._claims = k8s_helper or Claims()

    def connect(self) -> str:
        """Address of the daemon."""
        return self._claims.transport.config.url

    def close(self) -> None:
        """Does nothing: connections are shared by all sandboxes."""

    def is_sandboxd(self) -> bool:
        """True: all that the newer runtime can do, this can."""
        return True

    def send_request(self, method: str, endpoint: str, **kwargs: Any) -> Any:
        """:raises NotImplementedError: always."""
        raise NotImplementedError(
            f"{method} {endpoint}: there is no HTTP server of a runtime behind this handle; use "
            "its files and commands."
        )

    @contextmanager
    def place(self, what: str = "") -> Iterator[Place]:
        """The sandbox for the requests of the block, whose errors become those of the
        agent-sandbox API."""
        try:
            with as_request_errors(what):
                yield self._claims.place_of(self.id, self.namespace)
        except SandboxRequestError as error:
            if error.status_code == 502:
                self._claims.forget(self.id, self.namespace)
            raise

    def call(self, call: Call[T]) -> T:
        """One request to the daemon, inside the block of :meth:`place`."""
        return self._claims.transport.call(call)

    def files(self, place: Place, timeout: Any) -> Filesystem:
        """Its files for one call of so many seconds, inside the block of :meth:`place`.

        :raises ValueError: for what is no time.
        """
        transport = TimedTransport(self._claims.transport, read_timeout(timeout))
        return Filesystem(transport, of_sandbox(place.id))
