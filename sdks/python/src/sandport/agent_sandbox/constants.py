"""Names of the Kubernetes resources that the agent-sandbox API stands for."""

from __future__ import annotations

CLAIM_API_GROUP = "extensions.agents.x-k8s.io"
CLAIM_API_VERSION = "v1beta1"
CLAIM_PLURAL_NAME = "sandboxclaims"

SANDBOX_API_GROUP = "agents.x-k8s.io"
SANDBOX_API_VERSION = "v1beta1"
SANDBOX_PLURAL_NAME = "sandboxes"

GATEWAY_API_GROUP = "gateway.networking.k8s.io"
GATEWAY_API_VERSION = "v1"
GATEWAY_PLURAL = "gateways"

CLIENT_REQUEST_TIME_ANNOTATION = "agents.x-k8s.io/client-first-requested-at"
POD_NAME_ANNOTATION = "agents.x-k8s.io/pod-name"
CREATED_BY_LABEL = "agents.x-k8s.io/created-by"
SANDBOX_NAME_HASH_LABEL = "agents.x-k8s.io/sandbox-name-hash"
