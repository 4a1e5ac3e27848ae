"""Requests for what happened to sandboxes, and the events as they come."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Optional

from ..errors import NetworkError, SandportError, make_error
from ..life_models import SandboxEvent
from .call import Call, Request, target
from .sse import EventParser


def list_last(sandbox: Optional[str], tail: Optional[int]) -> Call[List[SandboxEvent]]:
    """:param sandbox: None: of all that the key may see."""
    query = {"tail": None if tail is None else str(tail)}
    request = Request("GET", target(*_source(sandbox), query=query))
    return Call(
        request,
        lambda answer: [SandboxEvent.from_wire(each) for each in answer.json_object()["events"]],
    )


def _source(sandbox: Optional[str]) -> List[str]:
    return ["events"] if sandbox is None else ["sandboxes", sandbox, "events"]


class EventFeed:
    """How far one is in a stream of events, over as many connections as it takes."""

    def __init__(self, sandbox: Optional[str], tail: int, after: Optional[int]) -> None:
        self._sandbox = sandbox
        self._tail = tail
        #: Id of the last event that was told.
        self.after = after
        self._parser = EventParser()

    @property
    def needs_start(self) -> bool:
        """True until :meth:`start_behind` was told what has happened already."""
        return self.after is None and self._tail <= 0

    def start_behind(self, last: List[SandboxEvent]) -> None:
        """What happens from now on is known by the last event before it, also after a broken
        connection."""
        self.after = last[-1].id if last else 0

    def request(self) -> Request:
        """Begins a new connection behind the last event."""
        self._parser = EventParser()
        query: Dict[str, Optional[str]] = {"follow": "true"}
        headers = {"Accept": "text/event-stream"}
        if self.after is None:
            query["tail"] = str(self._tail)
        else:
            headers["Last-Event-ID"] = str(self.after)
        return Request("GET", target(*_source(self._sandbox), query=query), headers)

    def feed(self, chunk: bytes) -> Iterator[SandboxEvent]:
        """:raises SandportError: what the daemon ends the stream with."""
        for event in self._parser.feed(chunk):
            if event.name == "error":
                raise failure(event.data)
            if event.name == "event":
                told = SandboxEvent.from_wire(data_of(event.data))
                self.after = told.id
                yield told

    def broke_off(self) -> NetworkError:
        return NetworkError(
            "The connection ended, and the events with it.", code="network_error", retryable=True
        )


def data_of(text: str) -> Dict[str, Any]:
    """:raises NetworkError: for what is no event of a daemon."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise NetworkError("The daemon sent an event that is not JSON.", code="network_error")
    return value


def failure(text: str) -> SandportError:
    """The error that an ``error`` event stands for."""
    data = data_of(text)
    message = str(data.pop("error", "The daemon ended the stream."))
    return make_error(message, code=str(data.pop("code", "unknown")), details=data)
