"""Names: of claims, of the sandboxes behind them, of what they start from."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Final, Optional, Tuple

from ..exceptions import (
    SandboxError,
    SandboxSourceNotFoundError,
    SandboxWarmPoolNotFoundError,
)

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_LENGTH: Final = 253
_LABEL_LENGTH: Final = 63

#: Pools that the published pages and the examples name, and the template that serves for them.
_KNOWN_POOLS: Final = ("python-sandbox-pool", "python-sandbox-warmpool")
_KNOWN_TEMPLATE: Final = "python-sandbox-template"

#: What a claim that names a template becomes in the newer generation.
_SHADOW_POOL: Final = "shadow-pool-"


def new_claim_name() -> str:
    return f"sandbox-claim-{uuid.uuid4().hex[:8]}"


def validate_claim_name(name: str) -> None:
    """:raises ValueError: for what is no DNS subdomain."""
    if not isinstance(name, str) or len(name) > _SUBDOMAIN_LENGTH or not _SUBDOMAIN.fullmatch(name):
        raise ValueError(
            f"claim_name {name!r} must be a DNS subdomain: at most {_SUBDOMAIN_LENGTH} of a-z, "
            "0-9, '-' and '.', with a letter or digit at both ends"
        )


def label_for(name: str) -> str:
    """A DNS label that stands for a longer name: itself where it is one, otherwise its beginning
    and a digest of the whole."""
    if len(name) <= _LABEL_LENGTH and "." not in name:
        return name
    digest = hashlib.sha256(name.encode("utf-8")).hexdigest()[:10]
    return f"{name[:50].replace('.', '-').rstrip('-')}-{digest}"


def name_hash(sandbox_name: str) -> str:
    """What the label ``agents.x-k8s.io/sandbox-name-hash`` holds: FNV-1a, 32 bits, in hex."""
    value = 0x811C9DC5
    for byte in sandbox_name.encode("utf-8"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


@dataclass(frozen=True)
class Source:
    """What a sandbox starts from, by the name that the caller gave."""

    name: str
    #: True when it was named as a warm pool and cannot be meant as a template.
    is_pool: bool

    def templates(self) -> Tuple[str, ...]:
        """Templates that may be meant, the likeliest first."""
        if self.name in _KNOWN_POOLS:
            return (self.name, _KNOWN_TEMPLATE)
        if self.name.startswith(_SHADOW_POOL) and len(self.name) > len(_SHADOW_POOL):
            return (self.name[len(_SHADOW_POOL) :], self.name)
        return (self.name,)

    def not_found(self, known: object) -> SandboxError:
        there = f"; known templates are {', '.join(known)}" if isinstance(known, list) else ""
        if self.is_pool:
            return SandboxWarmPoolNotFoundError(
                f"No warm pool and no template is called {self.name!r}{there}."
            )
        return SandboxSourceNotFoundError(f"No template is called {self.name!r}{there}.")


def source_of(template: Optional[str], warmpool: Optional[str]) -> Source:
    """What the first two ways of naming a source mean: ``template`` is also what the newer
    generation passes as its first argument, which is a warm pool there. With both given,
    ``warmpool`` is a policy; sandboxes come from pools by themselves.

    :raises ValueError: when neither names anything.
    """
    name = template if template is not None else warmpool
    if not name:
        raise ValueError("the name of a template, or of a warm pool, is missing")
    if not isinstance(name, str):
        raise ValueError(f"the name of a template must be a string, not {type(name).__name__}")
    return Source(name, is_pool=template is None)
