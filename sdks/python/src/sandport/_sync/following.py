"""Reads the output of a command as it is written."""

from __future__ import annotations

import threading
from typing import Generator, Optional

from .._flow import Patience, may_resume
from .._progress import Progress
from .._wire.output_feed import OutputFeed
from ..command_models import CommandOutput
from ..errors import SandportError
from .transport import StreamedAnswer, Transport


class Following:
    """One reading of a feed, to be iterated once. A broken connection is made again where it
    was."""

    def __init__(self, transport: Transport, feed: OutputFeed) -> None:
        self._transport = transport
        self._feed = feed
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._answer: Optional[StreamedAnswer] = None

    def __iter__(self) -> Generator[CommandOutput, None, None]:
        """Until the command has ended or the reading is stopped.

        :raises NetworkError: when the daemon is away for a minute.
        """
        patience = Patience(Progress())
        while not self._feed.ended and not self._stopped.is_set():
            try:
                yield from self._connection(patience)
            except SandportError as error:
                if self._feed.ended or self._stopped.is_set():
                    return
                if not may_resume(error):
                    raise
                self._stopped.wait(patience.pause(error).seconds)

    def _connection(self, patience: Patience) -> Generator[CommandOutput, None, None]:
        with self._transport.stream(self._feed.request()) as answer:
            try:
                self._hold(answer)
                for chunk in answer:
                    patience.progressed()
                    for piece in self._feed.feed(chunk):
                        yield piece
                        if self._stopped.is_set():
                            return
            finally:
                self._hold(None)
        if not self._feed.ended and not self._stopped.is_set():
            raise self._feed.broke_off()

    def _hold(self, answer: Optional[StreamedAnswer]) -> None:
        with self._lock:
            self._answer = answer
            if answer is not None and self._stopped.is_set():
                answer.abort()

    def stop(self) -> None:
        """Ends the reading, from any thread."""
        self._stopped.set()
        with self._lock:
            if self._answer is not None:
                self._answer.abort()
