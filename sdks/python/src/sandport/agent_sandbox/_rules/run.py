"""Commands: how they are asked for, and what their results mean."""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from ..._wire import commands
from ..._wire.call import Call
from ...models import ExecResult
from ..exceptions import SandboxRequestError
from ..models import ExecutionResult
from .paths import absolute
from .timeouts import seconds_of

logger = logging.getLogger("sandport.agent_sandbox")

#: As of ``timeout(1)``.
TIMED_OUT_EXIT_CODE = 124


@dataclass(frozen=True)
class Run:
    """A command that is to be run once."""

    sandbox: str
    fields: Dict[str, Any]
    #: Seconds after which it is ended; None: never.
    limit: Optional[float]
    #: True: that it was ended is a result, and not an error.
    reports_timeout: bool

    def call(self) -> Call[ExecResult]:
        return commands.run(self.sandbox, self.fields)

    def result(self, given: ExecResult) -> ExecutionResult:
        """:raises SandboxRequestError: when the time that the caller waits was over."""
        if given.truncated:
            logger.warning(
                "The output of the command was cut at %d MiB; write it to a file and read that.",
                commands.MAX_KEPT_BYTES // 2**20,
            )
        if not given.timed_out:
            return ExecutionResult(given.stdout, given.stderr, _exit_code(given))
        message = f"Command timed out after {self.limit:g} seconds"
        if not self.reports_timeout:
            raise SandboxRequestError(f"{message}, and was ended.")
        stderr = f"{given.stderr}\n{message}" if given.stderr else message
        return ExecutionResult(given.stdout, stderr, TIMED_OUT_EXIT_CODE, timed_out=True)


def make_run(
    sandbox: str,
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
        cwd=absolute(cwd or "."),
        env=env or None,
        timeout=limit or 0,
    )
    return Run(sandbox, fields, limit, reports_timeout=command_timeout is not None)


def _exit_code(given: ExecResult) -> int:
    """Minus the number of the signal that ended the shell, as :mod:`subprocess` has it."""
    number = getattr(signal, given.signal, None) if given.signal else None
    return -int(number) if number is not None else given.exit_code
