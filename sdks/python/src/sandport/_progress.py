"""Counts what a transfer has moved, and tells the caller."""

from __future__ import annotations

import threading
from typing import Optional

from .file_models import ProgressCallback, TransferProgress


class Progress:
    """Counted wherever bytes pass, in any thread; told where the caller lives, by
    :meth:`report`."""

    def __init__(self, callback: Optional[ProgressCallback] = None) -> None:
        self.callback = callback
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
