"""What requests about commands that go on by themselves answer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, List, Mapping, Optional, Union

from ._values import unix_seconds


@dataclass(frozen=True)
class CommandInfo:
    """A command as the daemon described it."""

    id: str
    #: ``running``, ``ended``, or ``lost``: its processes went with those of the sandbox, and nobody
    #: knows how it ended.
    status: str
    #: A line of the shell, or a program and its arguments; shortened when it is very long.
    cmd: Union[str, List[str]]
    #: Process id inside the sandbox, while it runs.
    pid: Optional[int] = None
    cwd: str = ""
    user: str = ""
    #: True: it has a terminal.
    tty: bool = False
    #: True: it can be given input now.
    stdin: bool = False
    started_at: str = ""
    ended_at: Optional[str] = None
    #: Exit code, or 128 + number of the signal that ended it; None before the end.
    exit_code: Optional[int] = None
    #: Name of the signal that ended it, as ``SIGKILL``.
    signal: Optional[str] = None
    #: True when the time limit ended it.
    timed_out: bool = False
    #: True when the memory limit ended it.
    oom_killed: bool = False
    #: Of the first byte of stdout that is still kept, and the bytes that were written in all.
    stdout_start: int = 0
    stdout_bytes: int = 0
    stderr_start: int = 0
    stderr_bytes: int = 0
    #: When the sandbox was hibernated and woke for the start: ``memory`` or ``disk``; else None.
    woke: Optional[str] = None
    #: The answer as it came.
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def duration_ms(self) -> float:
        """Until its end; 0 before it."""
        if self.ended_at is None:
            return 0.0
        lasted = unix_seconds(self.ended_at, 0) - unix_seconds(self.started_at, 0)
        return max(0.0, round(lasted * 1000, 3))

    @property
    def started(self) -> datetime:
        """When it was started, in UTC."""
        return datetime.fromtimestamp(unix_seconds(self.started_at, 0), timezone.utc)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any], *, woke: Optional[str] = None) -> CommandInfo:
        args = data.get("args")
        return cls(
            id=str(data["id"]),
            status=str(data["status"]),
            cmd=[str(arg) for arg in args] if args is not None else str(data.get("cmd", "")),
            pid=data.get("pid"),
            cwd=str(data.get("cwd", "")),
            user=str(data.get("user", "")),
            tty=bool(data.get("tty", False)),
            stdin=bool(data.get("stdin", False)),
            started_at=str(data.get("started_at", "")),
            ended_at=data.get("ended_at"),
            exit_code=data.get("exit_code"),
            signal=data.get("signal"),
            timed_out=bool(data.get("timed_out", False)),
            oom_killed=bool(data.get("oom_killed", False)),
            stdout_start=int(data.get("stdout_start", 0)),
            stdout_bytes=int(data.get("stdout_bytes", 0)),
            stderr_start=int(data.get("stderr_start", 0)),
            stderr_bytes=int(data.get("stderr_bytes", 0)),
            woke=woke,
            raw=dict(data),
        )


@dataclass(frozen=True)
class CommandOutput:
    """A piece of what a command wrote."""

    #: ``stdout`` or ``stderr``; all of a terminal is ``stdout``.
    stream: str
    #: The bytes as they were written.
    data: bytes
    #: Of the first byte, from the start of the stream.
    offset: int
    #: ``data`` decoded; a character that is cut between two pieces comes with the second. What is
    #: not UTF-8 is U+FFFD.
    text: str = ""
    #: Bytes before this piece that were not kept.
    missed_bytes: int = 0


@dataclass(frozen=True)
class KeptOutput:
    """Bytes of one stream of a command."""

    data: bytes
    #: Of the first byte; later than asked for where older bytes were not kept.
    offset: int
    #: Where the next read goes on.
    next_offset: int

    @property
    def text(self) -> str:
        """What is not UTF-8 is U+FFFD."""
        return self.data.decode("utf-8", "replace")
