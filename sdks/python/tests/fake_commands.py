"""The part of the daemon in memory that keeps commands. Each is a ``cat``: what it is given it
writes, and it ends with its input; or when a test says so."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List

if TYPE_CHECKING:
    from fake_daemon import Handler, Seen


@dataclass
class FakeCommand:
    info: Dict[str, Any]
    #: By stream: what it wrote, and how much of that is gone.
    output: Dict[str, bytes] = field(default_factory=lambda: {"stdout": b"", "stderr": b""})
    gone: Dict[str, int] = field(default_factory=lambda: {"stdout": 0, "stderr": 0})
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def running(self) -> bool:
        return bool(self.info["status"] == "running")

    def write(self, stream: str, data: bytes) -> None:
        with self.changed:
            self.output[stream] += data
            self.info[f"{stream}_bytes"] = len(self.output[stream])
            self.changed.notify_all()

    def end(self, exit_code: int = 0, **more: Any) -> None:
        with self.changed:
            told = {"status": "ended", "exit_code": exit_code, "ended_at": "2026-01-01T00:00:02Z"}
            self.info.update(told, **more)
            self.changed.notify_all()

    def lose(self) -> None:
        with self.changed:
            self.info["status"] = "lost"
            self.changed.notify_all()


def commands(handler: Handler, seen: Seen, rest: List[str]) -> None:
    from fake_daemon import Fault

    kept = handler.fake.commands
    if not rest and seen.method == "POST":
        body = seen.json()
        info = {
            "id": uuid.uuid4().hex,
            "pid": 42,
            "cwd": "/workspace",
            "user": "user",
            "status": "running",
            "started_at": "2026-01-01T00:00:00Z",
            **{key: body[key] for key in ("cmd", "args") if key in body},
            "tty": "tty" in body,
            "stdin": bool(body.get("stdin", "tty" in body)),
            "stdout_bytes": 0,
        }
        kept[info["id"]] = FakeCommand(info)
        return handler.answer_json(info, 201, X_Sandport_Woke="disk")
    if not rest:
        wanted = seen.query.get("status")
        infos = [each.info for each in kept.values()]
        return handler.answer_json([i for i in infos if wanted in (None, i["status"])])
    if rest[0] not in kept:
        raise Fault(404, "command_not_found", f"No command {rest[0]}.", command=rest[0])
    command = kept[rest[0]]
    if rest[1:] == ["output"]:
        return output(handler, seen, command)
    if rest[1:] and not command.running:
        raise Fault(409, "command_ended", "It has ended.", command=rest[0])
    if rest[1:] == ["stdin"]:
        command.write("stdout", seen.body)
        if "eof" in seen.query:
            command.end()
        return handler.answer_json({"bytes": len(seen.body)})
    if rest[1:] == ["resize"] and not command.info["tty"]:
        raise Fault(409, "not_a_terminal", "It has no terminal.", command=rest[0])
    if rest[1:] == ["signal"]:
        command.end(143, signal=seen.json()["signal"])
    if seen.method == "GET":
        return handler.answer_json(command.info)
    if seen.method == "DELETE":
        del kept[rest[0]]
        if command.running:
            command.end(143, signal="SIGTERM")
    handler.answer(204)


def output(handler: Handler, seen: Seen, command: FakeCommand) -> None:
    if "follow" in seen.query:
        return follow(handler, seen, command)
    stream = seen.query["stream"]
    start = max(int(seen.query["since"]), command.gone[stream])
    data = command.output[stream][start:][: int(seen.query.get("limit", "1000000"))]
    handler.answer(
        200,
        data,
        X_Sandport_Offset=str(start),
        X_Sandport_Next_Offset=str(start + len(data)),
    )


def follow(handler: Handler, seen: Seen, command: FakeCommand) -> None:
    """At most three bytes an event. The next of the daemon's ``breaks`` ends the connection."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    room = handler.fake.breaks.pop(0) if handler.fake.breaks else None
    since = {stream: int(seen.query[f"{stream}_since"]) for stream in ("stdout", "stderr")}
    while True:
        with command.changed:
            command.changed.wait_for(
                lambda: (
                    not command.running
                    or handler.fake.stopping
                    or any(len(command.output[each]) > at for each, at in since.items())
                ),
                timeout=0.05,
            )
            text = "".join(events_of(command, since))
            ended = not command.running
        if ended:
            text += f"event: exit\ndata: {json.dumps(command.info)}\n\n"
        raw = (text or ": keep-alive\n\n").encode()
        if room is not None and len(raw) >= room:
            handler.wfile.write(raw[:room])
            handler.close_connection = True
            return
        handler.wfile.write(raw)
        room = None if room is None else room - len(raw)
        if ended or handler.fake.stopping:
            handler.close_connection = True
            return


def events_of(command: FakeCommand, since: Dict[str, int]) -> List[str]:
    """Moves ``since`` on."""
    events: List[str] = []
    for stream, at in since.items():
        if at < command.gone[stream]:
            gap = {"stream": stream, "from": at, "to": command.gone[stream]}
            events.append(f"event: gap\ndata: {json.dumps(gap)}\n\n")
            at = command.gone[stream]
        while at < len(command.output[stream]):
            piece = command.output[stream][at : at + 3]
            text = piece.decode("utf-8", "replace")
            data: Dict[str, Any] = {"offset": at, "chunk": text}
            if text.encode() != piece:
                data["chunk_base64"] = base64.b64encode(piece).decode()
            events.append(f"event: {stream}\ndata: {json.dumps(data)}\n\n")
            at += len(piece)
        since[stream] = at
    return events
