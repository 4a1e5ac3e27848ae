"""Exchanges of several steps, written once for both clients.

A flow is a generator that yields what is to be done, and is resumed with the result or with the
error. :mod:`._sync.flows` and :mod:`._async.flows` carry the steps out. A flow itself never blocks:
what does goes into :class:`Work`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Generator, List, Mapping, Optional, Protocol, TypeVar, Union

from ._progress import Progress
from ._wire.body import Body
from ._wire.call import Answer, Call, Request
from .errors import NetworkError, SandportError

T = TypeVar("T")


class Sink(Protocol):
    """Takes the body of an answer."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Before the first piece; what it raises ends the transfer."""

    def feed(self, pieces: List[bytes]) -> None:
        """Some more of the body; called in a thread by the asynchronous client."""

    def report(self) -> None:
        """After each :meth:`feed`, where the caller lives."""


@dataclass(frozen=True)
class Send:
    """A request with its body; gives the :class:`Answer`."""

    request: Request
    body: Optional[Body] = None


@dataclass(frozen=True)
class Receive:
    """A request whose answer goes into the sink; gives None."""

    request: Request
    sink: Sink


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class Work:
    """Something that blocks; gives what the function gives."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Together:
    """Several flows at the same time; the first error ends the others and is raised."""

    flows: List[Generator[Any, Any, Any]]


Step = Union[Send, Receive, Sleep, Work, Together]
Flow = Generator[Step, Any, T]


def ask(call: Call[T]) -> Flow[T]:
    """A request without a body of its own, and its result."""
    answer: Answer = yield Send(call.request)
    return call.parse(answer)


#: Seconds that a transfer is tried again without any progress.
PATIENCE_SECONDS = 60.0
#: Seconds before the first further try; doubled for each one up to the longest.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0

_TRY_AGAIN = (423, 429, 502, 503, 504)


def may_resume(error: SandportError) -> bool:
    """True for errors that pass when the connection or the daemon comes back."""
    if isinstance(error, NetworkError):
        return True
    return error.retryable and error.status_code in _TRY_AGAIN


class Patience:
    """How long to wait before the next try, until too much time passed without progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._failing_since: Optional[float] = None
        self._pause = FIRST_PAUSE_SECONDS

    def progressed(self) -> None:
        self._failing_since = None
        self._pause = FIRST_PAUSE_SECONDS

    def pause(self, error: SandportError) -> Sleep:
        """:raises SandportError: the error itself, when it is of no use to go on."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since > PATIENCE_SECONDS:
            raise error
        seconds, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        self._progress.retrying(error, seconds)
        return Sleep(seconds)
