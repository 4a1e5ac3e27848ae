"""Events of sandboxes as they happen."""

from __future__ import annotations

import time
from typing import Generator, Optional

from .._flow import Patience, may_resume
from .._progress import Progress
from .._wire import events, sandboxes
from .._wire.events import EventFeed
from ..errors import NotFoundError, SandportError
from ..file_models import RetryCallback
from ..life_models import SandboxEvent
from .transport import Transport


def follow_events(
    transport: Transport,
    sandbox: Optional[str],
    *,
    tail: int,
    after: Optional[int],
    on_retry: Optional[RetryCallback],
) -> Generator[SandboxEvent, None, None]:
    """A broken connection is made again; no event is missed or told twice. Ends when the sandbox
    is gone.

    :param sandbox: None: of all that the key may see.
    :raises NetworkError: when the daemon is away for a minute.
    """
    feed = EventFeed(sandbox, tail, after)
    patience = Patience(Progress(on_retry=on_retry))
    if feed.needs_start:
        feed.start_behind(transport.call(events.list_last(sandbox, 1)))
    while True:
        try:
            with transport.stream(feed.request()) as answer:
                patience.progressed()
                for chunk in answer:
                    yield from feed.feed(chunk)
            if sandbox is not None and _is_gone(transport, sandbox):
                return
            raise feed.broke_off()
        except SandportError as error:
            if not may_resume(error):
                raise
            time.sleep(patience.pause(error).seconds)


def _is_gone(transport: Transport, sandbox: str) -> bool:
    try:
        transport.call(sandboxes.get(sandbox))
    except NotFoundError:
        return True
    return False
