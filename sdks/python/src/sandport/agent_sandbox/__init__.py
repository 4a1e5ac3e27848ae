"""The API of ``k8s-agent-sandbox`` on this SDK: no cluster, no kubeconfig, no kubectl.

``python -m sandport.agent_sandbox SCRIPT.py`` runs a script that imports ``k8s_agent_sandbox`` as
it stands. Both generations of that API are served: ``create_sandbox(template=...)`` and
``create_sandbox(warmpool=...)``.
"""

from .async_sandbox_client import AsyncSandboxClient
from .exceptions import (
    SandboxApiError,
    SandboxClaimFailedError,
    SandboxError,
    SandboxMetadataError,
    SandboxNoServiceError,
    SandboxNotFoundError,
    SandboxNotReadyError,
    SandboxPortForwardError,
    SandboxRequestError,
    SandboxServiceUnavailableError,
    SandboxTemplateNotFoundError,
    SandboxWarmPoolNotFoundError,
    SnapshotNotFoundError,
)
from .metrics_utils import get_metrics, print_metrics
from .models import SandboxdInClusterConnectionConfig
from .sandbox_client import SandboxClient

__all__ = [
    "AsyncSandboxClient",
    "SandboxApiError",
    "SandboxClaimFailedError",
    "SandboxClient",
    "SandboxError",
    "SandboxMetadataError",
    "SandboxNoServiceError",
    "SandboxNotFoundError",
    "SandboxNotReadyError",
    "SandboxPortForwardError",
    "SandboxRequestError",
    "SandboxServiceUnavailableError",
    "SandboxTemplateNotFoundError",
    "SandboxWarmPoolNotFoundError",
    "SandboxdInClusterConnectionConfig",
    "SnapshotNotFoundError",
    "get_metrics",
    "print_metrics",
]
