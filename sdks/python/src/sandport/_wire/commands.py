"""Requests that run commands, and what comes back from them."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from ..errors import CommandFailedError, NetworkError, make_error
from ..models import ExecResult
from .call import Answer, Call, ReadTimeout, Request, json_request, target, woke_of
from .output_text import OutputCallback, OutputText, chunk_of
from .sse import Event

#: A string runs under the shell; a sequence is a program and its arguments, without a shell.
Command = Union[str, Sequence[str]]

#: Seconds that the daemon may take to end a command whose time is over, before it answers.
TIMEOUT_GRACE_SECONDS = 60.0


def body(
    cmd: Command,
    *,
    cwd: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
    user: Optional[str] = None,
    timeout: Optional[float] = None,
    stdin: Union[str, bytes, None] = None,
) -> Dict[str, Any]:
    fields: Dict[str, Any] = {
        "cmd": cmd if isinstance(cmd, str) else None,
        "args": None if isinstance(cmd, str) else [str(arg) for arg in cmd],
        "cwd": cwd,
        "env": dict(env) if env is not None else None,
        "user": user,
        "timeout_seconds": timeout,
        "stdin": stdin if isinstance(stdin, str) else None,
        "stdin_base64": base64.b64encode(stdin).decode("ascii")
        if isinstance(stdin, bytes)
        else None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def run(sandbox: str, fields: Mapping[str, Any]) -> Call[ExecResult]:
    request = json_request("POST", target("sandboxes", sandbox, "exec"), fields, _wait(fields))
    return Call(request, _result)


def stream(sandbox: str, fields: Mapping[str, Any]) -> Request:
    where = target("sandboxes", sandbox, "exec", "stream")
    return json_request("POST", where, fields, _wait(fields))


def check_stdin(stdin: object, background: bool) -> None:
    """:raises ValueError: for an input that nobody could write to."""
    if isinstance(stdin, bool) and stdin and not background:
        raise ValueError("stdin=True needs background=True: give the input itself")


def checked(result: ExecResult, cmd: Command, check: bool) -> ExecResult:
    """:raises CommandFailedError: when ``check`` is set and the command did not end with 0."""
    if check and result.exit_code != 0:
        shown = cmd if isinstance(cmd, str) else " ".join(cmd)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
        how = "was ended by its time limit" if result.timed_out else f"exited {result.exit_code}"
        raise CommandFailedError(f"The command {how}: {shown}", result)
    return result


class StreamedCommand:
    """Turns the events of one command into calls of the callbacks and, at the end, a result."""

    def __init__(
        self, on_stdout: Optional[OutputCallback] = None, on_stderr: Optional[OutputCallback] = None
    ) -> None:
        self._stdout = OutputText(on_stdout)
        self._stderr = OutputText(on_stderr)
        self._exit: Optional[ExecResult] = None
        #: How the sandbox came back for the command, if it did.
        self.woke: Optional[str] = None

    def handle(self, event: Event) -> None:
        if event.name == "stdout":
            self._stdout.feed(chunk_of(_data(event)))
        elif event.name == "stderr":
            self._stderr.feed(chunk_of(_data(event)))
        elif event.name == "exit":
            data = _data(event)
            for output in (self._stdout, self._stderr):
                output.finish()
            cut = self._stdout.truncated or self._stderr.truncated
            data["truncated"] = cut or bool(data.get("truncated", False))
            self._exit = ExecResult.from_wire(
                data, stdout=self._stdout.kept, stderr=self._stderr.kept, woke=self.woke
            )
        elif event.name == "error":
            data = _data(event)
            message, code = data.pop("error", None), data.pop("code", None)
            raise make_error(
                str(message or "The command could not be run."),
                code=str(code or "unknown"),
                details=data,
            )

    def result(self) -> ExecResult:
        """:raises NetworkError: when the events ended before the command did."""
        if self._exit is None:
            raise NetworkError(
                "The connection ended before the command did; whether it still runs is not known.",
                code="network_error",
            )
        return self._exit


def _data(event: Event) -> Dict[str, Any]:
    try:
        value = json.loads(event.data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise NetworkError("The daemon sent an event that is not JSON.", code="network_error")
    return value


def _wait(fields: Mapping[str, Any]) -> ReadTimeout:
    timeout = fields.get("timeout_seconds")
    return float(timeout) + TIMEOUT_GRACE_SECONDS if timeout else "forever"


def _result(answer: Answer) -> ExecResult:
    return ExecResult.from_wire(answer.json_object(), woke=woke_of(answer.headers))
