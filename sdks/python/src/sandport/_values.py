"""Single values as they stand on the wire."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timezone
from typing import Optional, Union

_ISO = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$")


def unix_seconds(iso: Optional[str], whole: Union[int, float, None]) -> float:
    """Seconds since 1970 from ``2026-01-31T12:00:00.123Z``; ``whole`` when that is missing."""
    match = _ISO.match(iso) if isinstance(iso, str) else None
    if match is None:
        return float(whole or 0)
    moment = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return moment.timestamp() + float(f"0.{match.group(2) or 0}")


def base64_bytes(text: str) -> Optional[bytes]:
    """The bytes, or None when the text is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def format_digest(sha256: bytes) -> str:
    """Value of ``Repr-Digest`` (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(sha256).decode('ascii')}:"


_SHA256_ITEM = re.compile(r"(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):", re.IGNORECASE)


def parse_digest(header: Optional[str]) -> Optional[bytes]:
    """The SHA-256 of a ``Repr-Digest`` header; None when it holds none that is well-formed."""
    match = _SHA256_ITEM.search(header or "")
    value = base64_bytes(match.group(1)) if match else None
    return value if value is not None and len(value) == 32 else None
