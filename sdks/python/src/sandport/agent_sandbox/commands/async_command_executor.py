"""Commands in a sandbox."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ...errors import SandportError
from .._rules.run import make_run
from ..async_connector import AsyncSandboxConnector
from ..models import ExecutionResult


class AsyncCommandExecutor:
    """Commands in one sandbox."""

    def __init__(
        self, connector: AsyncSandboxConnector, tracer: Any = None, trace_service_name: str = ""
    ) -> None:
        self.connector = connector

    async def run(
        self,
        command: str,
        timeout: float = 60,
        command_timeout: Optional[float] = None,
        *,
        env: Optional[Mapping[str, str]] = None,
        cwd: Optional[str] = None,
    ) -> ExecutionResult:
        """Runs a line of ``/bin/sh`` once and waits for its end.

        :param timeout: seconds after which the command is ended, and this raises.
        :param command_timeout: seconds after which the command is ended, and the result has
            ``timed_out`` and what it wrote until then; ``timeout`` does not count then.
        :param env: added to the environment of the sandbox.
        :param cwd: directory, below the home directory unless absolute; that when left out.
        :raises SandboxRequestError: when the time was over, or the sandbox was not reached.
        """
        async with self.connector.place() as place:
            run = make_run(place, command, timeout, command_timeout, env, cwd)
            try:
                given = await self.connector.call(run.call())
            except SandportError as error:
                given = await self.connector.call(run.elsewhere(error))
            return run.result(given)
