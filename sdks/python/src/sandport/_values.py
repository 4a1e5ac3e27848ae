"""Single values as they stand on the wire."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timezone
from typing import Final, Optional, Union

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


#: A moment as callers give it: seconds since 1970, or a datetime (a naive one is local time).
Moment = Union[int, float, datetime]

_NANOS: Final = 1_000_000_000


class ExactMoment(float):
    """Seconds since 1970 that keep their nanoseconds."""

    nanos: int

    def __new__(cls, nanos: int) -> ExactMoment:
        moment = super().__new__(cls, nanos / _NANOS)
        moment.nanos = nanos
        return moment


def nanoseconds(moment: Moment) -> int:
    """Since 1970; of a float to the microsecond, which is what it can hold."""
    if isinstance(moment, ExactMoment):
        return moment.nanos
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return moment * _NANOS if isinstance(moment, int) else round(moment * 1_000_000) * 1000


def time_text(nanos: int) -> str:
    """Seconds since 1970 with as many decimals as there are, as ``1700000000.25``."""
    seconds, fraction = divmod(abs(nanos), _NANOS)
    decimals = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{'-' if nanos < 0 else ''}{seconds}{decimals}"


def mode_text(mode: Optional[int]) -> Optional[str]:
    """Permission bits as ``0755``.

    :raises ValueError: for what are no permission bits.
    """
    if mode is None:
        return None
    if not 0 <= mode <= 0o7777:
        raise ValueError(f"mode must be permission bits such as 0o644, not {mode!r}")
    return f"{mode:04o}"
