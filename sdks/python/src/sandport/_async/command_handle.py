"""A command in the background."""

from __future__ import annotations

from typing import AsyncGenerator, Tuple

from .._wire import kept_commands
from ..command_models import CommandOutput
from .body import AsyncContent
from .command_base import AsyncCommandBase


class AsyncCommandHandle(AsyncCommandBase):
    """A command that goes on when this program ends, or its connection breaks.

    Iterating gives its output as it is written. Leaving its block, as a context manager, leaves
    the command alone; :meth:`remove` ends it.

    >>> async with await sandbox.commands.run("make test", background=True) as command:
    ...     async for piece in command:
    ...         print(piece.stream, piece.text, end="")
    ...     print((await command.wait()).exit_code)
    """

    @property
    def stdout(self) -> str:
        """What was read of it until now; the first 10 MiB."""
        return self._feed.text("stdout")

    @property
    def stderr(self) -> str:
        """What was read of it until now; the first 10 MiB."""
        return self._feed.text("stderr")

    @property
    def offsets(self) -> Tuple[int, int]:
        """Of the first bytes of stdout and of stderr that were not read yet, as ``since`` of
        ``commands.connect`` takes them."""
        return self._feed.offset("stdout"), self._feed.offset("stderr")

    def __aiter__(self) -> AsyncGenerator[CommandOutput, None]:
        """Until the command has ended.

        :raises NetworkError: when the daemon is away for a minute.
        """
        return self._pieces()

    async def send_stdin(self, content: AsyncContent, *, eof: bool = False) -> None:
        """Gives it input, of a command that was started with ``stdin=True``; returns when the
        command has taken it, or will find it waiting.

        :param eof: close its input then.
        :raises ConflictError: ``command_ended``.
        """
        await self._send(content, eof)

    async def close_stdin(self) -> None:
        """It reads the end of its input."""
        await self._send(b"", eof=True)

    async def resize(self, rows: int, cols: int) -> None:
        """Changes the size of its terminal.

        :raises ConflictError: ``not_a_terminal`` when it has none.
        """
        await self._transport.call(kept_commands.resize(self._sandbox_id, self.id, rows, cols))
