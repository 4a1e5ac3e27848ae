"""A command in the background."""

from __future__ import annotations

from typing import Generator, Tuple

from .._wire import kept_commands
from .._wire.body import Content
from ..command_models import CommandOutput
from .command_base import CommandBase


class CommandHandle(CommandBase):
    """A command that goes on when this program ends, or its connection breaks.

    Iterating gives its output as it is written. Leaving its block, as a context manager, leaves
    the command alone; :meth:`remove` ends it.

    >>> with sandbox.commands.run("make test", background=True) as command:
    ...     for piece in command:
    ...         print(piece.stream, piece.text, end="")
    ...     print(command.wait().exit_code)
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

    def __iter__(self) -> Generator[CommandOutput, None, None]:
        """Until the command has ended.

        :raises NetworkError: when the daemon is away for a minute.
        """
        return self._pieces()

    def send_stdin(self, content: Content, *, eof: bool = False) -> None:
        """Gives it input, of a command that was started with ``stdin=True``; returns when the
        command has taken it, or will find it waiting.

        :param eof: close its input then.
        :raises ConflictError: ``command_ended``.
        """
        self._send(content, eof)

    def close_stdin(self) -> None:
        """It reads the end of its input."""
        self._send(b"", eof=True)

    def resize(self, rows: int, cols: int) -> None:
        """Changes the size of its terminal.

        :raises ConflictError: ``not_a_terminal`` when it has none.
        """
        self._transport.call(kept_commands.resize(self._sandbox_id, self.id, rows, cols))
