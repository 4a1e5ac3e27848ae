"""How far one is in the output of a command, over as many connections as it takes."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple, Union

from ..command_models import CommandInfo, CommandOutput
from ..errors import CommandLostError, NetworkError, SandportError, SandportTimeoutError
from ..models import ExecResult
from . import kept_commands
from .call import Request
from .events import data_of, failure
from .output_text import OutputText, chunk_of
from .sse import Event, EventParser


class _Stream:
    """One of stdout and stderr."""

    def __init__(self, since: int) -> None:
        #: Where the next byte belongs.
        self.offset = since
        self.text = OutputText()


class OutputFeed:
    """The output of one command in order, each byte once."""

    def __init__(
        self, sandbox: str, info: CommandInfo, since: Union[int, Tuple[int, int]] = 0
    ) -> None:
        """:param since: where it begins, in both streams, or in stdout and in stderr."""
        stdout_since, stderr_since = (since, since) if isinstance(since, int) else since
        self._sandbox = sandbox
        self._streams: Dict[str, _Stream] = {
            "stdout": _Stream(stdout_since),
            "stderr": _Stream(stderr_since),
        }
        self._parser = EventParser()
        #: The command, as last heard of.
        self.info = info
        #: True once all output and the end of the command were told.
        self.ended = False

    def offset(self, stream: str) -> int:
        """Of the next byte."""
        return self._streams[stream].offset

    def text(self, stream: str) -> str:
        """What is known of it until now; the first 10 MiB."""
        return self._streams[stream].text.kept

    def request(self) -> Request:
        """Begins a new connection behind the last byte."""
        self._parser = EventParser()
        return kept_commands.follow(
            self._sandbox, self.info.id, self.offset("stdout"), self.offset("stderr")
        )

    def feed(self, chunk: bytes) -> Iterator[CommandOutput]:
        """:raises SandportError: what the daemon ends the stream with."""
        for event in self._parser.feed(chunk):
            yield from self._event(event)

    def _event(self, event: Event) -> Iterator[CommandOutput]:
        if event.name in self._streams:
            data = data_of(event.data)
            yield from self._piece(event.name, int(data["offset"]), chunk_of(data))
        elif event.name == "gap":
            data = data_of(event.data)
            yield from self._piece(str(data["stream"]), int(data["to"]), b"")
        elif event.name == "exit":
            self.info = CommandInfo.from_wire(data_of(event.data), woke=self.info.woke)
            self.ended = True
            for name, stream in self._streams.items():
                text = stream.text.finish()
                if text:
                    yield CommandOutput(name, b"", stream.offset, text)
        elif event.name == "error":
            raise failure(event.data)

    def _piece(self, name: str, start: int, data: bytes) -> Iterator[CommandOutput]:
        stream = self._streams[name]
        if start < stream.offset:  # These bytes came before.
            data = data[stream.offset - start :]
            start = stream.offset
        missed = start - stream.offset
        if data or missed:
            stream.offset = start + len(data)
            before = stream.text.skip() if missed else ""
            yield CommandOutput(name, data, start, before + stream.text.feed(data), missed)

    def broke_off(self) -> NetworkError:
        """For a stream that ended before the command."""
        return NetworkError(
            "The connection ended before the command did.", code="network_error", retryable=True
        )

    def result(self) -> ExecResult:
        """Of a command that has ended.

        :raises CommandLostError: when nobody knows how.
        """
        info = self.info
        if info.exit_code is None:
            raise CommandLostError(
                f"How the command {info.id} ended is not known: its processes went with those of "
                "the sandbox.",
                code="command_lost",
                details={"command": info.id},
            )
        stdout, stderr = self._streams["stdout"].text, self._streams["stderr"].text
        return ExecResult(
            stdout=stdout.kept,
            stderr=stderr.kept,
            exit_code=info.exit_code,
            signal=info.signal,
            timed_out=info.timed_out,
            oom_killed=info.oom_killed,
            truncated=stdout.truncated or stderr.truncated,
            duration_ms=info.duration_ms,
            woke=info.woke,
        )


def still_runs(command: str, timeout: Optional[float]) -> SandportError:
    """For a wait that ended before the command; ``timeout`` None: by a disconnection."""
    if timeout is None:
        return NetworkError(
            f"The output of the command {command} was disconnected; wait again to go on.",
            code="network_error",
        )
    return SandportTimeoutError(
        f"The command {command} still runs after {timeout:g} s; it goes on.",
        code="client_timeout",
        retryable=True,
    )
