"""What handles of commands and terminals have in common."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Optional, Type, TypeVar

from .._wire import kept_commands
from .._wire.body import as_bytes
from .._wire.commands import checked
from .._wire.output_callbacks import PieceCallback
from .._wire.output_feed import OutputFeed, still_runs
from .._wire.stdin_chunks import stdin_chunks
from ..command_models import CommandInfo, CommandOutput, KeptOutput
from ..errors import ConflictError, NotFoundError
from ..models import ExecResult
from .body import AsyncBody, AsyncContent
from .following import Following
from .transport import AsyncTransport

H = TypeVar("H", bound="AsyncCommandBase")


class AsyncCommandBase:
    """A command that goes on when this program ends, or its connection breaks."""

    def __init__(
        self,
        transport: AsyncTransport,
        sandbox_id: str,
        feed: OutputFeed,
        on_piece: Optional[PieceCallback] = None,
    ) -> None:
        self._transport = transport
        self._sandbox_id = sandbox_id
        self._feed = feed
        self._on_piece = on_piece
        self._reading: Optional[Following] = None
        self._input = asyncio.Lock()
        self._worker: Optional[asyncio.Task[None]] = None
        self._sender: Optional[asyncio.Task[None]] = None
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

    async def refresh(self) -> CommandInfo:
        """Asks the daemon about this command.

        :raises NotFoundError: when it is forgotten.
        """
        self._feed.info = await self._transport.call(kept_commands.get(self._sandbox_id, self.id))
        return self._feed.info

    async def wait(self, timeout: Optional[float] = None, *, check: bool = False) -> ExecResult:
        """Reads the output until the command has ended.

        :param timeout: seconds after which this raises; the command goes on.
        :param check: raise :class:`~sandport.CommandFailedError` unless it exited with 0.
        :raises SandportTimeoutError: when it still runs after ``timeout``.
        :raises CommandLostError: when its processes went with those of the sandbox.
        """
        if self._worker is not None:
            await asyncio.wait([self._worker], timeout=timeout)
        elif not self._feed.ended:
            await self._read_to_end(timeout)
        failure, self._failure = self._failure, None
        if failure is not None:
            self._worker = None
            raise failure
        if not self._feed.ended:
            raise still_runs(self.id, timeout)
        return checked(self._feed.result(), self.info.cmd, check)

    async def _read_to_end(self, timeout: Optional[float]) -> None:
        reading = self._read()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(timeout, reading.stop) if timeout is not None else None
        pieces = reading.__aiter__()
        try:
            async for piece in pieces:
                self._deliver(piece)
        finally:
            if timer is not None:
                timer.cancel()
            await pieces.aclose()

    async def _pieces(self) -> AsyncGenerator[CommandOutput, None]:
        """:raises RuntimeError: while callbacks get the output in the background."""
        if self._worker is not None and not self._worker.done():
            raise RuntimeError("the output goes to the callbacks; wait() waits for its end")
        pieces = self._read().__aiter__()
        try:
            async for piece in pieces:
                self._deliver(piece)
                yield piece
        finally:
            await pieces.aclose()

    def _read(self) -> Following:
        """A reading instead of the one before it."""
        if self._reading is not None:
            self._reading.stop()
        self._reading = Following(self._transport, self._feed)
        if self._failure is not None:
            self._reading.stop()
        return self._reading

    def _deliver(self, piece: CommandOutput) -> None:
        if self._on_piece is not None:
            self._on_piece(piece)

    def _read_in_background(self) -> None:
        """Calls the callbacks from a task."""

        async def work() -> None:
            try:
                await self._read_to_end(None)
            except Exception as error:  # For wait().
                self._failure = error

        self._worker = asyncio.ensure_future(work())

    async def _send(self, content: AsyncContent, eof: bool) -> None:
        async with self._input:  # One after the other.
            async for chunk in _chunks(content):
                if chunk:
                    await self._put(chunk, eof=False)
            if eof:
                await self._put(b"", eof=True)

    async def _put(self, chunk: bytes, eof: bool) -> None:
        request = kept_commands.stdin(self._sandbox_id, self.id, len(chunk), eof)
        await self._transport.send(request, AsyncBody(chunk))

    def _send_in_background(self, content: AsyncContent) -> None:
        """All of it, then the end of the input. A command that ends before it has read all is no
        error."""

        async def work() -> None:
            try:
                await self._send(content, eof=True)
            except (ConflictError, NotFoundError):
                pass  # It has ended.
            except Exception as error:  # For wait().
                self._failure = error
                if self._reading is not None:
                    self._reading.stop()

        self._sender = asyncio.ensure_future(work())

    async def output(
        self, stream: str = "stdout", since: int = 0, limit: Optional[int] = None
    ) -> KeptOutput:
        """What is kept of ``stdout`` or ``stderr``, without waiting for more.

        :param since: offset of the first byte.
        :param limit: most bytes.
        """
        return await self._transport.call(
            kept_commands.output(self._sandbox_id, self.id, stream, since, limit)
        )

    async def kill(self, signal: str = "SIGKILL") -> None:
        """Sends a signal to its whole process group. Without effect when it has ended."""
        with unless_ended():
            await self._transport.call(kept_commands.signal(self._sandbox_id, self.id, signal))

    async def remove(self) -> None:
        """Ends it (SIGTERM, two seconds later SIGKILL) and forgets it with its output. No error
        when that was done before."""
        sender, self._sender = self._sender, None
        await _cancelled(sender)
        await self.disconnect()
        with contextlib.suppress(NotFoundError):
            await self._transport.call(kept_commands.remove(self._sandbox_id, self.id))

    async def disconnect(self) -> None:
        """Ends the reading of the output, in whatever task it is; the command goes on. Waiting or
        reading again goes on where it was."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.stop()
        worker, self._worker = self._worker, None
        await _cancelled(worker)

    async def __aenter__(self: H) -> H:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.disconnect()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.info.status}>"


async def _chunks(content: AsyncContent) -> AsyncIterator[bytes]:
    if isinstance(content, AsyncIterable):
        async for chunk in content:
            yield as_bytes(chunk)
        return
    chunks = stdin_chunks(content)
    while True:
        # A file may block. StopIteration cannot cross.
        read = await asyncio.to_thread(next, chunks, None)
        if read is None:
            return
        yield read


async def _cancelled(task: Optional[asyncio.Task[None]]) -> None:
    """Ends a task, and waits until it has ended."""
    if task is not None and task is not asyncio.current_task():
        task.cancel()
        await asyncio.wait([task])


@contextlib.contextmanager
def unless_ended() -> Iterator[None]:
    """Takes it well when there is no command any more that could be told something."""
    try:
        yield
    except ConflictError as error:
        if error.code != "command_ended":
            raise
