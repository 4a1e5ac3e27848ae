"""Time limits as callers give them."""

from __future__ import annotations

from typing import Any, Optional

from ..._wire.call import ReadTimeout


def seconds_of(timeout: Any) -> Optional[float]:
    """Seconds; None: no limit. Of a pair for connecting and reading, the second.

    :raises ValueError: for what is no positive number.
    """
    if isinstance(timeout, tuple) and len(timeout) == 2:
        timeout = timeout[1]
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ValueError(f"timeout must be a positive number of seconds, not {timeout!r}")
    return float(timeout)


def read_timeout(timeout: Any) -> ReadTimeout:
    seconds = seconds_of(timeout)
    return "forever" if seconds is None else seconds
