"""Terminals in one sandbox."""

from __future__ import annotations

from typing import AsyncGenerator, Mapping, Optional, Union

from .._wire import kept_commands
from .._wire.commands import Command
from .._wire.output_callbacks import DataCallback, on_bytes
from .._wire.output_feed import OutputFeed
from .command_base import AsyncCommandBase, unless_ended
from .transport import AsyncTransport


class AsyncPtyHandle(AsyncCommandBase):
    """A command with a terminal. It goes on when this program ends, or its connection breaks.

    Iterating gives what it writes, as bytes. Leaving its block, as a context manager, leaves
    the command alone.
    """

    @property
    def offset(self) -> int:
        """Of the first byte that was not read yet, as :meth:`AsyncPty.connect` takes it."""
        return self._feed.offset("stdout")

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Until the command has ended.

        :raises NetworkError: when the daemon is away for a minute.
        """
        pieces = self._pieces()
        try:
            async for piece in pieces:
                if piece.data:
                    yield piece.data
        finally:
            await pieces.aclose()

    async def write(self, data: Union[str, bytes]) -> None:
        """Types into the terminal.

        :raises ConflictError: ``command_ended``.
        """
        await self._send(data, eof=False)

    async def resize(self, rows: int, cols: int) -> None:
        """Changes the size of the terminal. Without effect when the command has ended."""
        with unless_ended():
            await self._transport.call(kept_commands.resize(self._sandbox_id, self.id, rows, cols))


class AsyncPty:
    """Terminals in one sandbox."""

    def __init__(self, transport: AsyncTransport, sandbox_id: str) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id

    async def create(
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
    ) -> AsyncPtyHandle:
        """Starts a command with a terminal.

        >>> async with await sandbox.pty.create(on_data=sys.stdout.buffer.write) as terminal:
        ...     await terminal.write("ls\\n")
        ...     await terminal.write("exit\\n")
        ...     await terminal.wait()

        :param rows: 1 to 1000; ``cols`` likewise.
        :param cmd: a line for the shell, or a sequence of program and arguments; left out: the
            login shell of the user.
        :param env: added to the environment of the sandbox, and to ``TERM=xterm-256color``.
        :param timeout: seconds after which its whole process group is ended; left out: never.
        :param on_data: called with bytes as they arrive; left out: iterate.
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
        info = await self._transport.call(kept_commands.start(self._sandbox_id, fields))
        return self._handle(OutputFeed(self._sandbox_id, info), on_data)

    async def connect(
        self, command: str, *, since: Optional[int] = None, on_data: Optional[DataCallback] = None
    ) -> AsyncPtyHandle:
        """A terminal that runs, or has ended, by its id.

        :param since: offset of the first byte that is read; left out: what comes from now on.
        :raises NotFoundError: when there is none.
        """
        info = await self._transport.call(kept_commands.get(self._sandbox_id, command))
        return self._handle(
            OutputFeed(self._sandbox_id, info, info.stdout_bytes if since is None else since),
            on_data,
        )

    def _handle(self, feed: OutputFeed, on_data: Optional[DataCallback]) -> AsyncPtyHandle:
        handle = AsyncPtyHandle(self._transport, self._sandbox_id, feed, on_bytes(on_data))
        if on_data is not None:
            handle._read_in_background()
        return handle
