"""Terminals in one sandbox."""

from __future__ import annotations

from typing import Generator, Mapping, Optional, Union

from .._wire import kept_commands
from .._wire.commands import Command
from .._wire.output_callbacks import DataCallback, on_bytes
from .._wire.output_feed import OutputFeed
from .command_base import CommandBase, unless_ended
from .transport import Transport


class PtyHandle(CommandBase):
    """A command with a terminal. It goes on when this program ends, or its connection breaks.

    Iterating gives what it writes, as bytes. Leaving its block, as a context manager, leaves
    the command alone.
    """

    @property
    def offset(self) -> int:
        """Of the first byte that was not read yet, as :meth:`Pty.connect` takes it."""
        return self._feed.offset("stdout")

    def __iter__(self) -> Generator[bytes, None, None]:
        """Until the command has ended.

        :raises NetworkError: when the daemon is away for a minute.
        """
        for piece in self._pieces():
            if piece.data:
                yield piece.data

    def write(self, data: Union[str, bytes]) -> None:
        """Types into the terminal.

        :raises ConflictError: ``command_ended``.
        """
        self._send(data, eof=False)

    def resize(self, rows: int, cols: int) -> None:
        """Changes the size of the terminal. Without effect when the command has ended."""
        with unless_ended():
            self._transport.call(kept_commands.resize(self._sandbox_id, self.id, rows, cols))


class Pty:
    """Terminals in one sandbox."""

    def __init__(self, transport: Transport, sandbox_id: str) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id

    def create(
        self,
        rows: int = 24,
        cols: int = 80,
        *,
        cmd: Optional[Command] = None,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
        timeout: Optional[float] = None,
        on_data: Optional[DataCallback] = None,
    ) -> PtyHandle:
        """Starts a command with a terminal.

        >>> with sandbox.pty.create(on_data=sys.stdout.buffer.write) as terminal:
        ...     terminal.write("ls\\n")
        ...     terminal.write("exit\\n")
        ...     terminal.wait()

        :param rows: 1 to 1000; ``cols`` likewise.
        :param cmd: a line for the shell, or a sequence of program and arguments; left out: the
            login shell of the user.
        :param env: added to the environment of the sandbox, and to ``TERM=xterm-256color``.
        :param timeout: seconds after which its whole process group is ended; left out: never.
        :param on_data: called from a thread with bytes as they arrive; left out: iterate.
        """
        fields = kept_commands.start_fields(
            kept_commands.LOGIN_SHELL if cmd is None else cmd,
            cwd=cwd,
            env={**kept_commands.TERMINAL, **(env or {})},
            user=user,
            timeout=timeout,
            stdin=False,
            tty={"rows": rows, "cols": cols},
        )
        info = self._transport.call(kept_commands.start(self._sandbox_id, fields))
        return self._handle(OutputFeed(self._sandbox_id, info), on_data)

    def connect(
        self, command: str, *, since: Optional[int] = None, on_data: Optional[DataCallback] = None
    ) -> PtyHandle:
        """A terminal that runs, or has ended, by its id.

        :param since: offset of the first byte that is read; left out: what comes from now on.
        :raises NotFoundError: when there is none.
        """
        info = self._transport.call(kept_commands.get(self._sandbox_id, command))
        return self._handle(
            OutputFeed(self._sandbox_id, info, info.stdout_bytes if since is None else since),
            on_data,
        )

    def _handle(self, feed: OutputFeed, on_data: Optional[DataCallback]) -> PtyHandle:
        handle = PtyHandle(self._transport, self._sandbox_id, feed, on_bytes(on_data))
        if on_data is not None:
            handle._read_in_background()
        return handle
