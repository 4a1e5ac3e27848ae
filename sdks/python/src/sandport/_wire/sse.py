"""Server-sent events, from bytes as they arrive."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional

from ..errors import NetworkError

#: An event is a frame of output; nothing that is larger comes from a daemon.
MAX_LINE_BYTES = 64 * 1024 * 1024


class Event(NamedTuple):
    name: str
    data: str


class EventParser:
    def __init__(self) -> None:
        self._rest: List[bytes] = []
        self._rest_bytes = 0
        self._name = ""
        self._data: List[str] = []

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that this chunk completes."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._rest:
                line = b"".join([*self._rest, line])
                self._rest.clear()
                self._rest_bytes = 0
            event = self._line(line[:-1] if line.endswith(b"\r") else line)
            if event is not None:
                yield event
        if rest:
            self._rest.append(rest)
            self._rest_bytes += len(rest)
            if self._rest_bytes > MAX_LINE_BYTES:
                raise NetworkError("The daemon sent an endless event.", code="network_error")

    def _line(self, line: bytes) -> Optional[Event]:
        if not line:
            event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
            self._name = ""
            self._data = []
            return event
        field, _, value = line.partition(b":")
        text = (value[1:] if value.startswith(b" ") else value).decode("utf-8", "replace")
        if field == b"event":
            self._name = text
        elif field == b"data":
            self._data.append(text)
        return None
