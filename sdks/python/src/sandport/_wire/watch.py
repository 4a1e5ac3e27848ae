"""Watching a directory."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Optional

from ..errors import NetworkError, make_error
from ..file_models import WatchEvent
from .call import RemotePath, Request, flag, remote_path
from .owner import FilesOwner
from .sse import Event, EventParser

_CHANGES = ("created", "modified", "removed", "renamed")


def watch(owner: FilesOwner, path: RemotePath, recursive: bool) -> Request:
    query = {"path": remote_path(path), "recursive": flag(recursive)}
    where = owner.target("fs", "watch", query=query)
    return Request("GET", where, {"Accept": "text/event-stream"}, read_timeout="forever")


class WatchParser:
    """Events of a watch, from bytes as they arrive."""

    def __init__(self) -> None:
        self._events = EventParser()
        #: True once everything is watched.
        self.ready = False
        #: True when the directory is gone.
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[WatchEvent]:
        for event in self._events.feed(chunk):
            made = self._event(event)
            if made is not None:
                yield made

    def _event(self, event: Event) -> Optional[WatchEvent]:
        if event.name == "ready":
            self.ready = True
        elif event.name == "end":
            self.ended = True
        elif event.name == "resync":
            return WatchEvent("resync", reason=_data(event).get("reason"))
        elif event.name == "error":
            data = _data(event)
            message = str(data.pop("error", "The watch ended."))
            raise make_error(message, code=str(data.pop("code", "unknown")), details=data)
        elif event.name in _CHANGES:
            data = _data(event)
            return WatchEvent(event.name, str(data["path"]), data.get("type"), data.get("from"))
        return None

    def broke_off(self) -> NetworkError:
        """For a stream that ended although the directory is there."""
        return NetworkError(
            "The connection of the watch ended; watch again and list what is needed.",
            code="network_error",
            retryable=True,
        )


def _data(event: Event) -> Dict[str, Any]:
    value = json.loads(event.data)
    return value if isinstance(value, dict) else {}
