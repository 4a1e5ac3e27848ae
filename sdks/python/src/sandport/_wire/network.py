"""The network of a sandbox, as it is sent."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Union

from ..network_models import Network
from .call import given

#: ``{"egress": ..., "allow": [...], "bandwidth_mbps": ...}``, or the object.
NetworkSpec = Union[Network, Mapping[str, Any]]


def network_body(spec: Optional[NetworkSpec]) -> Optional[Dict[str, Any]]:
    if spec is None:
        return None
    if isinstance(spec, Network):
        allow = list(spec.allow) or None
        return given(egress=spec.egress, allow=allow, bandwidth_mbps=spec.bandwidth_mbps)
    return dict(spec)
