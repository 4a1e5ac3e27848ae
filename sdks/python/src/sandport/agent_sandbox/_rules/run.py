"""Commands: how they are asked for, and what their results mean."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..._wire import commands, output_text
from ..._wire.call import Call
from ...errors import SandportError
from ...models import ExecResult
from ..exceptions import SandboxRequestError
from ..models import ExecutionResult
from .claims import Place
from .timeouts import seconds_of

#: As of ``timeout(1)``.
TIMED_OUT_EXIT_CODE = 124


@dataclass(frozen=True)
class Run:
    """A command that is to be run once."""

    place: Place
    fields: Dict[str, Any]
    #: Seconds after which it is ended; None: never.
    limit: Optional[float]
    #: True: that it was ended is a result, and not an error.
    reports_timeout: bool
    #: True: the caller named no directory.
    begins_at_home: bool

    def call(self) -> Call[ExecResult]:
        return commands.run(self.place.id, self.fields)

    def elsewhere(self, error: SandportError) -> Call[ExecResult]:
        """The same outside of the home directory, which an image may lack. Nothing was run.

        :raises SandportError: the error, when it is about something else.
        """
        if not self.begins_at_home or error.code != "command_not_started":
            raise error
        rest = {key: value for key, value in self.fields.items() if key != "cwd"}
        return commands.run(self.place.id, rest)

    def result(self, given: ExecResult) -> ExecutionResult:
        """:raises SandboxRequestError: when the time that the caller waits was over."""
        late = f"Command timed out after {self.limit:g} seconds" if given.timed_out else ""
        if late and not self.reports_timeout:
            raise SandboxRequestError(f"{late}, and was ended.")
        notes: List[str] = []
        if given.truncated:
            kept = f"the first {output_text.MAX_KEPT_BYTES} bytes are kept"
            notes.append(f"The output was cut: of each stream {kept}.")
        if given.oom_killed:
            notes.append("The memory limit of the sandbox ended the command.")
        if late:
            notes.append(late)
        stderr = _with_notes(given.stderr, notes)
        code = TIMED_OUT_EXIT_CODE if late else _exit_code(given)
        return ExecutionResult(given.stdout, stderr, code, given.timed_out)


def _with_notes(stderr: str, notes: Sequence[str]) -> str:
    separator = "\n" if notes and stderr and not stderr.endswith("\n") else ""
    return stderr + separator + "\n".join(notes)


def make_run(
    place: Place,
    command: str,
    timeout: Any,
    command_timeout: Optional[float],
    env: Optional[Mapping[str, str]],
    cwd: Optional[str],
) -> Run:
    """:raises ValueError: for arguments that cannot be meant."""
    if not isinstance(command, str):
        raise TypeError(f"command must be str, not {type(command).__name__}")
    for key in env or {}:
        if not key or "=" in key:
            raise ValueError(f"{key!r} is no name of an environment variable")
    limit = seconds_of(timeout if command_timeout is None else command_timeout)
    fields = commands.body(
        # An empty line is one too.
        command or ":",
        cwd=place.path(cwd or ""),
        env=env or None,
        timeout=limit or 0,
    )
    return Run(
        place,
        fields,
        limit,
        reports_timeout=command_timeout is not None,
        begins_at_home=not cwd,
    )


def _exit_code(given: ExecResult) -> int:
    """Minus the number of the signal that ended the shell, as :mod:`subprocess` has it."""
    number = getattr(signal, given.signal, None) if given.signal else None
    return -int(number) if number is not None else given.exit_code
