"""A handle on one sandbox."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from ._rules import claims as rules
from ._rules.names import name_hash
from ._sync.claims import Claims
from .commands.command_executor import CommandExecutor
from .connector import SandboxConnector
from .files.filesystem import Filesystem
from .models import (
    SandboxConnectionConfig,
    SandboxLocalTunnelConnectionConfig,
    SandboxTracerConfig,
)


class Sandbox:
    """A handle on one sandbox, made by :class:`SandboxClient`."""

    #: None after :meth:`terminate`.
    claim_name: Optional[str]

    def __init__(
        self,
        claim_name: str,
        sandbox_id: str,
        namespace: str = "default",
        connection_config: Optional[SandboxConnectionConfig] = None,
        tracer_config: Optional[SandboxTracerConfig] = None,
        k8s_helper: Optional[Claims] = None,
    ) -> None:
        """:raises SandboxError: when no daemon is known."""
        self.claim_name = claim_name
        #: Name of the sandbox, and of its pod.
        self.sandbox_id = sandbox_id
        self.namespace = namespace
        self.connection_config = connection_config or SandboxLocalTunnelConnectionConfig()
        self.tracer_config = tracer_config or SandboxTracerConfig()
        self.trace_service_name = self.tracer_config.trace_service_name
        self.tracing_manager: Any = None
        self.tracer: Any = None
        self.k8s_helper = k8s_helper if isinstance(k8s_helper, Claims) else Claims()
        self.connector = SandboxConnector(
            sandbox_id, namespace, self.connection_config, self.k8s_helper
        )
        self._commands: Optional[CommandExecutor] = CommandExecutor(self.connector)
        self._files: Optional[Filesystem] = Filesystem(self.connector)

    @property
    def commands(self) -> Optional[CommandExecutor]:
        """Its commands; None when the handle is closed."""
        return self._commands

    @property
    def files(self) -> Optional[Filesystem]:
        """Its files; None when the handle is closed."""
        return self._files

    @property
    def is_active(self) -> bool:
        """False when the handle is closed."""
        return self._commands is not None and self._files is not None

    def status(self) -> Tuple[str, str]:
        """``SandboxReady``, ``SandboxNotReady`` or ``SandboxNotFound``, and a sentence."""
        return rules.status_of(self.k8s_helper.sandbox(self.sandbox_id, self.namespace))

    def get_pod_name(self) -> str:
        """The same as :attr:`sandbox_id`."""
        return self.sandbox_id

    def get_pod_ip(self) -> Optional[str]:
        """Address of the sandbox; None where the daemon gives it none."""
        return rules.pod_ip_of(self.k8s_helper.sandbox(self.sandbox_id, self.namespace))

    def get_service_fqdn(self) -> Optional[str]:
        """None: sandboxes have no service here."""
        return None

    def get_sandbox_name_hash(self) -> Optional[str]:
        """Value of the label ``agents.x-k8s.io/sandbox-name-hash``."""
        return name_hash(self.sandbox_id)

    def close_connection(self) -> None:
        """Ends the handle; the sandbox goes on."""
        self._commands = None
        self._files = None
        self.connector.close()

    def terminate(self) -> None:
        """Ends the handle and deletes the sandbox with its files. No error when it is gone.

        :raises SandboxApiError: when it could not be deleted; this can be called again.
        """
        self.close_connection()
        if self.claim_name is not None:
            self.k8s_helper.delete(self.claim_name, self.namespace)
            self.claim_name = None
