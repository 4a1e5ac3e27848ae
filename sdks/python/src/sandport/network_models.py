"""What a sandbox may reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence


@dataclass(frozen=True)
class Network:
    """What a sandbox may reach beside itself."""

    #: ``none``; ``allowlist``: what ``allow`` names; ``all``: the public internet, and addresses of
    #: ``allow``.
    egress: str = "none"
    #: Names (``example.com``, ``*.example.com``), IPv4 addresses and networks (``10.1.2.0/24``),
    #: each also with a port (``example.com:443``). Private networks need a key for all namespaces.
    allow: Sequence[str] = ()
    #: Most megabits a second, in each direction; None: no limit.
    bandwidth_mbps: Optional[float] = None
    #: True: it comes with the next start of the sandbox, as a wake. Only the daemon says so.
    pending: bool = False

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Network:
        return cls(
            egress=str(data.get("egress", "none")),
            allow=tuple(str(rule) for rule in data.get("allow") or ()),
            bandwidth_mbps=data.get("bandwidth_mbps"),
            pending=bool(data.get("pending", False)),
        )
