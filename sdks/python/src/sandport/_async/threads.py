"""Work on the disk, off the event loop."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *args: Any) -> T:
    """Runs ``work`` in a thread. When cancelled it waits for the thread before it gives way, so
    that no file is closed or removed while the thread still uses it; ``work`` must be short."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # Seen: what was cancelled has nobody to tell it to.
        raise
