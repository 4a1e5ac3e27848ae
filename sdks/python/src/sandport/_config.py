"""Where the daemon is, and the key for it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from .errors import ConfigError


@dataclass(frozen=True)
class ConnectionConfig:
    """How to reach a daemon. What is None is looked up by :meth:`resolve`."""

    url: Optional[str] = None
    api_key: Optional[str] = None
    #: Seconds.
    connect_timeout: float = 10.0
    #: Seconds without a byte after which a transfer is given up. Never bounds a whole transfer.
    idle_timeout: float = 60.0

    def resolve(self) -> ResolvedConfig:
        """Explicit values, then ``SANDPORT_URL`` and ``SANDPORT_API_KEY``, then the user's
        ``$XDG_CONFIG_HOME/sandport/client.json``.

        :raises ConfigError: when no address or no key is found, or one that cannot be used.
        """
        url = self.url or os.environ.get("SANDPORT_URL")
        api_key = self.api_key or os.environ.get("SANDPORT_API_KEY")
        if not (url and api_key):
            stored = _client_file()
            # A stored key belongs to the stored address: it is not sent to another one.
            if not api_key and (not url or _same_url(url, stored.get("url"))):
                api_key = stored.get("api_key")
            url = url or stored.get("url")
        if not url:
            raise ConfigError(
                "No Sandport daemon is known. Start one with `npx sandport serve`, or set "
                f"SANDPORT_URL and SANDPORT_API_KEY (looked also in {client_file_path()}).",
                code="not_configured",
            )
        if not api_key:
            raise ConfigError(
                f"No API key for {url} is known. Set SANDPORT_API_KEY or pass api_key; the daemon "
                "writes its local key to client.json in its data directory.",
                code="not_configured",
            )
        _check(url, api_key)
        return ResolvedConfig(url.rstrip("/"), api_key, self.connect_timeout, self.idle_timeout)


@dataclass(frozen=True)
class ResolvedConfig:
    """All that a transport needs; hashable, so that equal ones can share connections."""

    url: str
    api_key: str
    connect_timeout: float
    idle_timeout: float

    def __repr__(self) -> str:
        return f"ResolvedConfig(url={self.url!r})"


def client_file_path() -> Path:
    """The file in which a daemon on this machine leaves its address and key."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "sandport" / "client.json"


def _client_file() -> Dict[str, str]:
    path = client_file_path()
    try:
        value: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as cause:
        raise ConfigError(f"{path} cannot be read: {cause}.", code="not_configured") from cause
    if not isinstance(value, dict):
        raise ConfigError(f"{path} does not hold a JSON object.", code="not_configured")
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _check(url: str, api_key: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username is not None:
        raise ConfigError(
            f"{url!r} is not the address of a daemon; it looks like http://127.0.0.1:8420.",
            code="not_configured",
        )
    # The key itself is not shown: it would end up in logs.
    if not re.fullmatch(r"[!-~]+", api_key):
        raise ConfigError(
            "The API key holds characters that no key has; check for spaces and line breaks.",
            code="not_configured",
        )


def _same_url(one: str, other: Optional[str]) -> bool:
    return other is not None and one.rstrip("/") == other.rstrip("/")
