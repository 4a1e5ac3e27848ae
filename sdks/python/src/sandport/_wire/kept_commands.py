"""Requests about commands that go on by themselves."""

from __future__ import annotations

from typing import Any, Dict, Final, List, Mapping, Optional

from ..command_models import CommandInfo, KeptOutput
from ..errors import NetworkError
from .call import Answer, Call, Request, ignore, json_request, target, woke_of
from .commands import Command, body

#: Of the user.
LOGIN_SHELL: Final = 'exec "${SHELL:-/bin/sh}" -l'

#: Environment of commands with a terminal.
TERMINAL: Final[Mapping[str, str]] = {"TERM": "xterm-256color"}


def start_fields(
    cmd: Command,
    *,
    cwd: Optional[str],
    env: Optional[Mapping[str, str]],
    user: Optional[str],
    timeout: Optional[float],
    stdin: bool,
    tty: Optional[Mapping[str, int]] = None,
    output_limit_bytes: Optional[int] = None,
) -> Dict[str, Any]:
    fields = body(cmd, cwd=cwd, env=env, user=user, timeout=timeout)
    if stdin:
        fields["stdin"] = True
    if tty is not None:
        fields["tty"] = dict(tty)
    if output_limit_bytes is not None:
        fields["output_limit_bytes"] = output_limit_bytes
    return fields


def start(sandbox: str, fields: Mapping[str, Any]) -> Call[CommandInfo]:
    # A hibernated sandbox wakes for it.
    return Call(json_request("POST", _target(sandbox), fields, "forever"), _info)


def list_all(sandbox: str, status: Optional[str]) -> Call[List[CommandInfo]]:
    request = Request("GET", target("sandboxes", sandbox, "commands", query={"status": status}))
    return Call(request, lambda answer: [CommandInfo.from_wire(item) for item in answer.json()])


def get(sandbox: str, command: str) -> Call[CommandInfo]:
    return Call(Request("GET", _target(sandbox, command)), _info)


def remove(sandbox: str, command: str) -> Call[None]:
    return Call(Request("DELETE", _target(sandbox, command), read_timeout="forever"), ignore)


def signal(sandbox: str, command: str, name: str) -> Call[None]:
    where = _target(sandbox, command, "signal")
    return Call(json_request("POST", where, {"signal": signal_name(name)}), ignore)


def resize(sandbox: str, command: str, rows: int, cols: int) -> Call[None]:
    where = _target(sandbox, command, "resize")
    return Call(json_request("POST", where, {"rows": rows, "cols": cols}), ignore)


def stdin(sandbox: str, command: str, size: Optional[int], eof: bool) -> Request:
    """The body goes with it. The command may leave it waiting for as long as it likes."""
    headers = {"Content-Type": "application/octet-stream"}
    if size is not None:
        headers["Content-Length"] = str(size)
    where = _target(sandbox, command, "stdin", query={"eof": "1" if eof else None})
    return Request("PUT", where, headers, read_timeout="forever", write_timeout="forever")


def output(
    sandbox: str, command: str, stream: str, since: int, limit: Optional[int]
) -> Call[KeptOutput]:
    query = {
        "stream": stream,
        "since": str(since),
        "limit": None if limit is None else str(limit),
    }
    return Call(Request("GET", _target(sandbox, command, "output", query=query)), _kept)


def follow(sandbox: str, command: str, stdout_since: int, stderr_since: int) -> Request:
    query = {
        "follow": "1",
        "stdout_since": str(stdout_since),
        "stderr_since": str(stderr_since),
    }
    where = _target(sandbox, command, "output", query=query)
    return Request("GET", where, {"Accept": "text/event-stream"})


def signal_name(name: str) -> str:
    """``SIGTERM`` of ``term``, ``TERM`` and ``SIGTERM``."""
    upper = name.upper()
    return upper if upper.startswith("SIG") else f"SIG{upper}"


def _target(
    sandbox: str, *segments: str, query: Optional[Mapping[str, Optional[str]]] = None
) -> str:
    return target("sandboxes", sandbox, "commands", *segments, query=query)


def _info(answer: Answer) -> CommandInfo:
    return CommandInfo.from_wire(answer.json_object(), woke=woke_of(answer.headers))


def _kept(answer: Answer) -> KeptOutput:
    try:
        offset = int(answer.headers["x-sandport-offset"])
        next_offset = int(answer.headers["x-sandport-next-offset"])
    except (KeyError, ValueError):
        raise NetworkError(
            "The daemon did not say which bytes these are.", code="network_error"
        ) from None
    return KeptOutput(answer.content, offset, next_offset)
