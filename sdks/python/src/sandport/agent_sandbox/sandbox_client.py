"""A client that makes sandboxes and keeps track of them."""

from __future__ import annotations

import atexit
import logging
import threading
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Generic,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    Type,
    TypeVar,
)

from ._rules import claims as rules
from ._rules.claims import make_claim
from ._rules.notes import note_unused
from ._rules.timeouts import read_timeout
from ._sync.claims import Claims
from .models import (
    SandboxConnectionConfig,
    SandboxLocalTunnelConnectionConfig,
    SandboxTracerConfig,
)
from .sandbox import Sandbox

logger = logging.getLogger("sandport.agent_sandbox")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    T = TypeVarWithDefault("T", bound=Sandbox, default=Sandbox)
else:
    T = TypeVar("T", bound=Sandbox)
C = TypeVar("C", bound="SandboxClient[Any]")


class SandboxClient(Generic[T]):
    """Makes sandboxes and keeps track of them. As a context manager it deletes, at the end of the
    block, those to which the caller gave no name."""

    #: What handles are made of.
    sandbox_class: Type[T] = Sandbox  # type: ignore[assignment]

    def __init__(
        self,
        connection_config: Optional[SandboxConnectionConfig] = None,
        tracer_config: Optional[SandboxTracerConfig] = None,
        cleanup: bool = False,
        api_client: Any = None,
    ) -> None:
        """
        :param connection_config: kept, and not used: the daemon is found by ``SANDPORT_URL`` and
            ``SANDPORT_API_KEY``, or in the user's client.json.
        :param tracer_config: likewise; nothing is traced.
        :param cleanup: do at the end of the program what the context manager does.
        :param api_client: not used.
        :raises SandboxError: when no daemon is known.
        """
        note_unused(tracer_config, api_client)
        self.connection_config = connection_config or SandboxLocalTunnelConnectionConfig()
        self.tracer_config = tracer_config or SandboxTracerConfig()
        self.k8s_helper = Claims()
        self._tracked: Dict[Tuple[str, str], T] = {}
        self._named_by_caller: Set[Tuple[str, str]] = set()
        self._lock = threading.RLock()
        if cleanup:
            atexit.register(self._delete_generated)

    def create_sandbox(
        self,
        template: Optional[str] = None,
        namespace: str = "default",
        sandbox_ready_timeout: float = 180,
        labels: Optional[Mapping[str, str]] = None,
        warmpool: Optional[str] = None,
        *,
        claim_name: Optional[str] = None,
        adopt_existing: bool = False,
        shutdown_after_seconds: Optional[int] = None,
        volume_claim_templates: Optional[Sequence[Mapping[str, Any]]] = None,
        pod_labels: Optional[Mapping[str, str]] = None,
        pod_annotations: Optional[Mapping[str, str]] = None,
        env: Optional[Mapping[str, str]] = None,
    ) -> T:
        """Makes a sandbox and returns when it takes commands.

        :param template: name or alias of a template; also what ``warmpool`` takes.
        :param sandbox_ready_timeout: seconds to wait for it.
        :param labels: of the claim; :meth:`list_all_sandboxes` can select by them.
        :param warmpool: name of a warm pool: of a template, ``shadow-pool-TEMPLATE``,
            ``python-sandbox-pool`` or ``python-sandbox-warmpool``. Beside ``template`` it is a
            policy, and not used: the daemon's pools serve by themselves.
        :param claim_name: the caller's name for it. Then only the caller deletes it.
        :param adopt_existing: take the sandbox that has ``claim_name`` already, when it was made
            from the same.
        :param shutdown_after_seconds: seconds after which it is deleted; None: never.
        :param volume_claim_templates: each ``{"metadata": {"name": N}, "spec": ...}`` is a volume
            at ``/mnt/N``, deleted with the sandbox.
        :param pod_labels: kept with the sandbox; ``pod_annotations`` likewise.
        :param env: environment of every command.
        :raises SandboxTemplateNotFoundError: when there is no such template.
        :raises SandboxWarmPoolNotFoundError: when there is no such warm pool.
        :raises SandboxClaimFailedError: when it cannot be made at all.
        :raises SandboxApiError: with status 409 when ``claim_name`` is taken.
        :raises TimeoutError: when it was not ready in time.
        """
        claim = make_claim(
            template,
            warmpool,
            namespace,
            sandbox_ready_timeout,
            labels,
            claim_name=claim_name,
            adopt_existing=adopt_existing,
            shutdown_after_seconds=shutdown_after_seconds,
            volume_claim_templates=volume_claim_templates,
            pod_labels=pod_labels,
            pod_annotations=pod_annotations,
            env=env,
        )
        if not claim.generated:
            self._named_by_caller.add((namespace, claim.name))
        info = self.k8s_helper.create(claim, adopt_existing=adopt_existing)
        return self._handle(claim.name, rules.sandbox_name_of(info), namespace)

    def get_sandbox(
        self, claim_name: str, namespace: str = "default", resolve_timeout: float = 30
    ) -> T:
        """A handle on a sandbox that is there, by the name of its claim.

        :param resolve_timeout: seconds to wait for the answer.
        :raises SandboxNotFoundError: when there is none.
        """
        try:
            info = self.k8s_helper.find(claim_name, namespace, read_timeout(resolve_timeout))
        except Exception as error:
            raise rules.not_found(claim_name, namespace, error) from None
        if info is None:
            self._close(claim_name, namespace)
            raise rules.not_found(claim_name, namespace)
        return self._handle(claim_name, rules.sandbox_name_of(info), namespace)

    def list_active_sandboxes(self) -> List[Tuple[str, str]]:
        """``(namespace, claim_name)`` of each open handle of this client."""
        with self._lock:
            for key, sandbox in list(self._tracked.items()):
                if not sandbox.is_active:
                    del self._tracked[key]
            return list(self._tracked)

    def list_all_sandboxes(
        self, namespace: str = "default", label_selector: Optional[str] = None
    ) -> List[str]:
        """Names of all claims of a namespace, whoever made them.

        :param label_selector: as kubectl takes it: ``a=b,c!=d,e in (f,g),h notin (i),j,!k``.
        :raises SandboxApiError: with status 400, for what is no selector.
        """
        return self.k8s_helper.names(namespace, label_selector)

    def delete_sandbox(self, claim_name: str, namespace: str = "default") -> None:
        """Deletes a sandbox by the name of its claim. What goes wrong is logged, and not raised."""
        key = (namespace, claim_name)
        with self._lock:
            sandbox = self._tracked.get(key)
        try:
            if sandbox is not None:
                sandbox.terminate()
                with self._lock:
                    self._tracked.pop(key, None)
            else:
                self.k8s_helper.delete(claim_name, namespace)
        except Exception as error:
            logger.error("The sandbox %r could not be deleted: %s", claim_name, error)

    def delete_all(self) -> None:
        """Deletes the sandboxes of all handles of this client."""
        for namespace, claim_name in list(self._tracked):
            self.delete_sandbox(claim_name, namespace)

    def get_sandbox_claim_warmpool_name(self, claim_name: str, namespace: str = "default") -> str:
        """What a sandbox was claimed from.

        :raises SandboxNotFoundError: when there is no such claim.
        :raises SandboxMetadataError: when it was made otherwise.
        """
        info = self.k8s_helper.find(claim_name, namespace)
        if info is None:
            raise rules.not_found(claim_name, namespace)
        return rules.source_name_of(info)

    def _handle(self, claim_name: str, sandbox_name: str, namespace: str) -> T:
        """The open handle that there is, or a new one."""
        key = (namespace, claim_name)
        with self._lock:
            known = self._tracked.get(key)
            if known is not None and known.is_active and known.sandbox_id == sandbox_name:
                return known
            made = self.sandbox_class(
                claim_name=claim_name,
                sandbox_id=sandbox_name,
                namespace=namespace,
                connection_config=self.connection_config,
                tracer_config=self.tracer_config,
                k8s_helper=self.k8s_helper,
            )
            self._tracked[key] = made
        if known is not None:
            known.close_connection()
        return made

    def _close(self, claim_name: str, namespace: str) -> None:
        with self._lock:
            known = self._tracked.pop((namespace, claim_name), None)
        if known is not None:
            known.close_connection()

    def _delete_generated(self) -> None:
        for key, sandbox in list(self._tracked.items()):
            if key in self._named_by_caller:
                sandbox.close_connection()
            else:
                self.delete_sandbox(key[1], key[0])

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._delete_generated()
