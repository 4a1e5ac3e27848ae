"""What handles of commands and terminals have in common."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Generator, Iterator, Optional, Type, TypeVar

from .._wire import kept_commands
from .._wire.body import Content, MemoryBody
from .._wire.commands import checked
from .._wire.output_callbacks import PieceCallback
from .._wire.output_feed import OutputFeed, still_runs
from .._wire.stdin_chunks import stdin_chunks
from ..command_models import CommandInfo, CommandOutput, KeptOutput
from ..errors import ConflictError, NotFoundError
from ..models import ExecResult
from .following import Following
from .transport import Transport

H = TypeVar("H", bound="CommandBase")


class CommandBase:
    """A command that goes on when this program ends, or its connection breaks."""

    def __init__(
        self,
        transport: Transport,
        sandbox_id: str,
        feed: OutputFeed,
        on_piece: Optional[PieceCallback] = None,
    ) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id
        self._feed = feed
        self._on_piece = on_piece
        self._reading: Optional[Following] = None
        self._input = threading.Lock()
        self._worker: Optional[threading.Thread] = None
        self._failing = threading.Lock()
        self._failure: Optional[BaseException] = None

    @property
    def id(self) -> str:
        return self._feed.info.id

    @property
    def pid(self) -> Optional[int]:
        """Process id inside the sandbox."""
        return self._feed.info.pid

    @property
    def info(self) -> CommandInfo:
        """The command, as last heard of; :meth:`refresh` asks again."""
        return self._feed.info

    @property
    def exit_code(self) -> Optional[int]:
        """None until the end was heard of, by :meth:`wait`, reading or :meth:`refresh`."""
        return self._feed.info.exit_code

    def refresh(self) -> CommandInfo:
        """Asks the daemon about this command.

        :raises NotFoundError: when it is forgotten.
        """
        self._feed.info = self._transport.call(kept_commands.get(self._sandbox_id, self.id))
        return self._feed.info

    def wait(self, timeout: Optional[float] = None, *, check: bool = False) -> ExecResult:
        """Reads the output until the command has ended.

        :param timeout: seconds after which this raises; the command goes on.
        :param check: raise :class:`~sandport.CommandFailedError` unless it exited with 0.
        :raises SandportTimeoutError: when it still runs after ``timeout``.
        :raises CommandLostError: when its processes went with those of the sandbox.
        """
        if self._worker is not None:
            self._worker.join(timeout)
        elif not self._feed.ended:
            self._read_to_end(timeout)
        failure, self._failure = self._failure, None
        if failure is not None:
            self._worker = None
            raise failure
        if not self._feed.ended:
            raise still_runs(self.id, timeout)
        return checked(self._feed.result(), self.info.cmd, check)

    def _read_to_end(self, timeout: Optional[float]) -> None:
        reading = self._read()
        timer = threading.Timer(timeout, reading.stop) if timeout is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            for piece in reading:
                self._deliver(piece)
        finally:
            if timer is not None:
                timer.cancel()

    def _pieces(self) -> Generator[CommandOutput, None, None]:
        """:raises RuntimeError: while callbacks get the output in the background."""
        if self._worker is not None and self._worker.is_alive():
            raise RuntimeError("the output goes to the callbacks; wait() waits for its end")
        for piece in self._read():
            self._deliver(piece)
            yield piece

    def _read(self) -> Following:
        """A reading instead of the one before it."""
        self.disconnect()
        reading = Following(self._transport, self._feed)
        with self._failing:
            self._reading = reading
            if self._failure is not None:
                reading.stop()
        return reading

    def _deliver(self, piece: CommandOutput) -> None:
        if self._on_piece is not None:
            self._on_piece(piece)

    def _read_in_background(self) -> None:
        """Calls the callbacks from a thread."""
        reading = self._read()

        def work() -> None:
            try:
                for piece in reading:
                    self._deliver(piece)
            except BaseException as error:  # For wait().
                self._failure = error

        self._worker = threading.Thread(target=work, name=f"sandport-{self.id}", daemon=True)
        self._worker.start()

    def _send(self, content: Content, eof: bool) -> None:
        with self._input:  # One after the other.
            for chunk in stdin_chunks(content):
                if chunk:
                    self._put(chunk, eof=False)
            if eof:
                self._put(b"", eof=True)

    def _put(self, chunk: bytes, eof: bool) -> None:
        request = kept_commands.stdin(self._sandbox_id, self.id, len(chunk), eof)
        self._transport.send(request, MemoryBody(chunk))

    def _send_in_background(self, content: Content) -> None:
        """All of it, then the end of the input. A command that ends before it has read all is no
        error."""

        def work() -> None:
            try:
                self._send(content, eof=True)
            except (ConflictError, NotFoundError):
                pass  # It has ended.
            except BaseException as error:  # For wait().
                with self._failing:
                    self._failure = error
                    if self._reading is not None:
                        self._reading.stop()

        threading.Thread(target=work, name=f"sandport-{self.id}-stdin", daemon=True).start()

    def output(
        self, stream: str = "stdout", since: int = 0, limit: Optional[int] = None
    ) -> KeptOutput:
        """What is kept of ``stdout`` or ``stderr``, without waiting for more.

        :param since: offset of the first byte.
        :param limit: most bytes.
        """
        return self._transport.call(
            kept_commands.output(self._sandbox_id, self.id, stream, since, limit)
        )

    def kill(self, signal: str = "SIGKILL") -> None:
        """Sends a signal to its whole process group. Without effect when it has ended."""
        with unless_ended():
            self._transport.call(kept_commands.signal(self._sandbox_id, self.id, signal))

    def remove(self) -> None:
        """Ends it (SIGTERM, two seconds later SIGKILL) and forgets it with its output. No error
        when that was done before."""
        self.disconnect()
        with contextlib.suppress(NotFoundError):
            self._transport.call(kept_commands.remove(self._sandbox_id, self.id))

    def disconnect(self) -> None:
        """Ends the reading of the output, in whatever thread it is; the command goes on. Waiting or
        reading again goes on where it was."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.stop()
        worker, self._worker = self._worker, None
        if worker is not None and worker is not threading.current_thread():
            worker.join()

    def __enter__(self: H) -> H:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.disconnect()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.info.status}>"


@contextlib.contextmanager
def unless_ended() -> Iterator[None]:
    """Takes it well when there is no command any more that could be told something."""
    try:
        yield
    except ConflictError as error:
        if error.code != "command_ended":
            raise
