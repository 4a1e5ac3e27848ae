"""Counts what a transfer has moved, and tells the caller."""

from __future__ import annotations

import threading
from typing import Optional

from ._error_base import SandportError
from .file_models import ProgressCallback, RetryCallback, TransferProgress, TransferRetry


class Progress:
    """Counted wherever bytes pass, in any thread; told where the caller lives, by
    :meth:`report`."""

    def __init__(
        self,
        callback: Optional[ProgressCallback] = None,
        on_retry: Optional[RetryCallback] = None,
    ) -> None:
        self.callback = callback
        self.on_retry = on_retry
        self.total_bytes: Optional[int] = None
        self.bytes = 0
        self.files = 0
        self._told: Optional[TransferProgress] = None
        self._lock = threading.Lock()

    def add(self, size: int, files: int = 0) -> None:
        with self._lock:
            self.bytes += size
            self.files += files

    def report(self) -> None:
        """Calls the callback if anything changed since the last time."""
        if self.callback is None:
            return
        with self._lock:
            told = TransferProgress(self.bytes, self.total_bytes, self.files)
            if told == self._told:
                return
            self._told = told
            self.callback(told)

    def retrying(self, error: SandportError, seconds: float) -> None:
        """Tells that the transfer goes on after a pause."""
        if self.on_retry is None:
            return
        with self._lock:
            self.on_retry(TransferRetry(error, seconds))
