"""What requests about ports of sandboxes answer with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple


@dataclass(frozen=True)
class Port:
    """A TCP port of a sandbox."""

    port: int
    #: True: a program of the sandbox listens there.
    listening: bool
    #: ``exposed``, or ``detected``: nobody has exposed it.
    source: str
    #: ``private``: for those with a key or a signed link; ``public``: for everybody.
    visibility: str
    #: For those with a key.
    proxy_url: str
    #: For browsers.
    preview_url: str
    label: Optional[str] = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Port:
        return cls(
            port=int(data["port"]),
            listening=bool(data["listening"]),
            source=str(data["source"]),
            visibility=str(data["visibility"]),
            proxy_url=str(data["proxy_url"]),
            preview_url=str(data["preview_url"]),
            label=data.get("label"),
        )


@dataclass(frozen=True)
class SignedPreview:
    """A link to a port that works without a key."""

    #: By the address of the port: what applications in browsers need.
    preview_url: str
    #: By the address of the API: pages there are kept apart from it, and so from their own data.
    url: str
    token: str
    port: int
    #: The link leads to these paths and what is below them; empty: to all.
    paths: Tuple[str, ...]
    expires_at: str

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> SignedPreview:
        return cls(
            preview_url=str(data["preview_url"]),
            url=str(data["url"]),
            token=str(data["token"]),
            port=int(data["port"]),
            paths=tuple(str(path) for path in data.get("paths") or ()),
            expires_at=str(data["expires_at"]),
        )
