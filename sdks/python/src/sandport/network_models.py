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
    #: each also with a port (``example.com:443``), or a port of all public addresses (``*:443``).
    #: Private networks need a key for all namespaces.
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


@dataclass(frozen=True)
class NamespaceNetwork:
    """What networks the sandboxes of a namespace have by default, and at most."""

    namespace: str
    #: Most that one of them may have, whoever asks: ``none``, ``allowlist`` or ``all``.
    max_egress: str = "all"
    #: With ``allowlist``: their rules may open no more than these. None: any rule.
    max_allow: Optional[Sequence[str]] = None
    #: Of sandboxes that ask for none, and whose template has none.
    default: Optional[Network] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> NamespaceNetwork:
        rules, default = data.get("max_allow"), data.get("default")
        return cls(
            namespace=str(data["namespace"]),
            max_egress=str(data["max_egress"]),
            max_allow=None if rules is None else tuple(str(rule) for rule in rules),
            default=None if default is None else Network.from_wire(default),
        )
