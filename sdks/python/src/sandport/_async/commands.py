"""AsyncCommands in one sandbox."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Union

from .._wire import commands
from .._wire.call import woke_of
from .._wire.commands import Command, OutputCallback, StreamedCommand
from .._wire.sse import EventParser
from ..models import ExecResult
from .transport import AsyncTransport


class AsyncCommands:
    """AsyncCommands in one sandbox."""

    #: Seconds after which a command is ended when the caller names no time; None: never.
    default_timeout: Optional[float] = None

    def __init__(self, transport: AsyncTransport, sandbox_id: str) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id

    async def run(
        self,
        cmd: Command,
        timeout: Optional[float] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[str, bytes, None] = None,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        check: bool = False,
    ) -> ExecResult:
        """Runs a command and waits for its end, however long it takes.

        :param cmd: a line for the shell, or a sequence of program and arguments.
        :param timeout: seconds after which its whole process group is ended; the result then has
            ``timed_out``. 0: never.
        :param cwd: directory; the workdir of the sandbox when left out.
        :param env: added to the environment of the sandbox.
        :param user: name or number; the user of the sandbox when left out.
        :param stdin: given to the command, then its input is closed.
        :param on_stdout: called with each piece of output as it arrives; ``on_stderr`` likewise.
        :param check: raise :class:`~sandport.CommandFailedError` unless it exits with 0.
        """
        limit = self.default_timeout if timeout is None else timeout
        fields = commands.body(cmd, cwd=cwd, env=env, user=user, timeout=limit, stdin=stdin)
        if on_stdout is None and on_stderr is None:
            result = await self._transport.call(commands.run(self._sandbox_id, fields))
        else:
            result = await self._stream(fields, StreamedCommand(on_stdout, on_stderr))
        return commands.checked(result, cmd, check)

    async def _stream(self, fields: Dict[str, Any], streamed: StreamedCommand) -> ExecResult:
        parser = EventParser()
        async with self._transport.stream(commands.stream(self._sandbox_id, fields)) as answer:
            streamed.woke = woke_of(answer.headers)
            async for chunk in answer:
                for event in parser.feed(chunk):
                    streamed.handle(event)
        return streamed.result()

    async def stream(
        self,
        cmd: Command,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        timeout: Optional[float] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[str, bytes, None] = None,
    ) -> int:
        """Runs a command, hands on its output as it arrives, and gives its exit code."""
        limit = self.default_timeout if timeout is None else timeout
        fields = commands.body(cmd, cwd=cwd, env=env, user=user, timeout=limit, stdin=stdin)
        result = await self._stream(fields, StreamedCommand(on_stdout, on_stderr))
        return result.exit_code
