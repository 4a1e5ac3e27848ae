"""Commands in one sandbox."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Dict, List, Literal, Mapping, Optional, Tuple, Union, overload

from .._wire import commands, kept_commands
from .._wire.body import Content
from .._wire.call import woke_of
from .._wire.commands import Command, StreamedCommand
from .._wire.output_callbacks import on_text
from .._wire.output_feed import OutputFeed
from .._wire.output_text import OutputCallback
from .._wire.sse import EventParser
from ..errors import SandportError
from ..models import ExecResult
from .command_handle import CommandHandle
from .transport import Transport


class Commands:
    """Commands in one sandbox."""

    #: Seconds after which a command is ended when the caller names no time; None: never. Not for
    #: commands in the background.
    default_timeout: Optional[float] = None

    def __init__(self, transport: Transport, sandbox_id: str) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id

    @overload
    def run(
        self,
        cmd: Command,
        timeout: Optional[float] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[Content, bool, None] = None,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        check: bool = False,
        background: Literal[False] = False,
    ) -> ExecResult: ...

    @overload
    def run(
        self,
        cmd: Command,
        timeout: Optional[float] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[Content, bool, None] = None,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        output_limit_bytes: Optional[int] = None,
        background: Literal[True],
    ) -> CommandHandle: ...

    def run(
        self,
        cmd: Command,
        timeout: Optional[float] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        stdin: Union[Content, bool, None] = None,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        check: bool = False,
        output_limit_bytes: Optional[int] = None,
        background: bool = False,
    ) -> Union[ExecResult, CommandHandle]:
        """Runs a command and waits for its end, however long it takes; or, in the background, gives
        a handle of it as soon as it runs.

        In the foreground a command is ended when the connection ends. In the background it goes on,
        and :meth:`connect` finds it again; so does one whose ``stdin`` is neither text nor bytes
        when this program is killed.

        :param cmd: a line for the shell, or a sequence of program and arguments.
        :param timeout: seconds after which its whole process group is ended; the result then has
            ``timed_out``. 0: never.
        :param cwd: directory; the workdir of the sandbox when left out.
        :param env: added to the environment of the sandbox.
        :param user: name or number; the user of the sandbox when left out.
        :param stdin: text, bytes, a binary file or an iterable of bytes, given to the command as it
            reads; then its input is closed. True, in the background: its input stays open for
            ``send_stdin``.
        :param on_stdout: called with each piece of output as it arrives; ``on_stderr`` likewise. Of
            a command in the background they are called from a thread.
        :param check: raise :class:`~sandport.CommandFailedError` unless it exits with 0.
        :param output_limit_bytes: of each stream that are kept of a command in the background,
            where nobody reads it: the last ones. 16 MiB when left out.
        """
        limit = timeout if timeout is not None or background else self.default_timeout
        if not background and (stdin is None or isinstance(stdin, (str, bytes))):
            fields = commands.body(cmd, cwd=cwd, env=env, user=user, timeout=limit, stdin=stdin)
            if on_stdout is None and on_stderr is None:
                result = self._transport.call(commands.run(self._sandbox_id, fields))
            else:
                result = self._stream(fields, StreamedCommand(on_stdout, on_stderr))
            return commands.checked(result, cmd, check)
        commands.check_stdin(stdin, background)
        fields = kept_commands.start_fields(
            cmd,
            cwd=cwd,
            env=env,
            user=user,
            timeout=limit,
            stdin=stdin is not None and stdin is not False,
            output_limit_bytes=output_limit_bytes,
        )
        handle = self._start(fields, on_stdout, on_stderr)
        if stdin is not None and not isinstance(stdin, bool):
            handle._send_in_background(stdin)
        if background:
            if on_stdout is not None or on_stderr is not None:
                handle._read_in_background()
            return handle
        try:
            return handle.wait(check=check)
        finally:
            # How it ended is known, or the error that is under way matters more.
            with suppress(SandportError):
                handle.remove()

    def _start(
        self,
        fields: Mapping[str, Any],
        on_stdout: Optional[OutputCallback],
        on_stderr: Optional[OutputCallback],
    ) -> CommandHandle:
        info = self._transport.call(kept_commands.start(self._sandbox_id, fields))
        feed = OutputFeed(self._sandbox_id, info)
        return CommandHandle(self._transport, self._sandbox_id, feed, on_text(on_stdout, on_stderr))

    def connect(
        self,
        command: str,
        *,
        since: Union[int, Tuple[int, int]] = 0,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
    ) -> CommandHandle:
        """A command in the background that runs, or has ended, by its id.

        :param since: offset of the first byte that is read, of both streams, or of stdout and of
            stderr, as ``offsets`` of a handle tells them.
        :param on_stdout: called from a thread with each piece of output; ``on_stderr`` likewise.
        :raises NotFoundError: when there is none.
        """
        info = self._transport.call(kept_commands.get(self._sandbox_id, command))
        feed = OutputFeed(self._sandbox_id, info, since)
        on_piece = on_text(on_stdout, on_stderr)
        handle = CommandHandle(self._transport, self._sandbox_id, feed, on_piece)
        if on_piece is not None:
            handle._read_in_background()
        return handle

    def get(self, command: str) -> CommandHandle:
        """The same as :meth:`connect`, from the start of the output on."""
        return self.connect(command)

    def list(self, *, status: Optional[str] = None) -> List[CommandHandle]:
        """Commands in the background that run, or have ended and are not forgotten; oldest first.

        :param status: ``running``, ``ended`` or ``lost``.
        """
        infos = self._transport.call(kept_commands.list_all(self._sandbox_id, status))
        feeds = [OutputFeed(self._sandbox_id, info) for info in infos]
        return [CommandHandle(self._transport, self._sandbox_id, feed) for feed in feeds]

    def _stream(self, fields: Dict[str, Any], streamed: StreamedCommand) -> ExecResult:
        parser = EventParser()
        with self._transport.stream(commands.stream(self._sandbox_id, fields)) as answer:
            streamed.woke = woke_of(answer.headers)
            for chunk in answer:
                for event in parser.feed(chunk):
                    streamed.handle(event)
        return streamed.result()

    def stream(
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
        return self._stream(fields, StreamedCommand(on_stdout, on_stderr)).exit_code
