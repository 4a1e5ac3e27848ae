"""Downloads into one local file: resumed after an interruption, and above a size in ranges that
are fetched at the same time."""

from __future__ import annotations

import os
import re
from typing import Iterator, List, Mapping, Optional

from .._flow import Flow, Patience, Receive, Together, Work, ask, may_resume
from .._local_file import AtomicFile, LocalPath
from .._progress import Progress
from .._wire import files
from .._wire.call import RemotePath, Request
from .._wire.files import WHOLE, ByteRange
from .._wire.owner import FilesOwner
from ..errors import NetworkError, SandportError

#: Bytes of one range, and the size above which a file is fetched in ranges.
RANGE_BYTES = 64 * 1024 * 1024
#: Ranges fetched at the same time.
CONNECTIONS = 4

_CONTENT_RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")


def download(
    owner: FilesOwner, path: RemotePath, local_path: LocalPath, progress: Progress, *, verify: bool
) -> Flow[None]:
    with AtomicFile(local_path) as local:
        yield Work(local.open)
        fetch = _Fetch(owner, path, local, progress)
        yield from fetch.all()
        expected = fetch.announced
        if verify and expected is None:
            expected = yield from ask(files.digest_of_stored(owner, path, fetch.etag))
        if verify or expected is not None:
            received: bytes = yield Work(local.sha256)
            files.check_download(str(path), received, expected)
        yield Work(local.commit)
    progress.add(0, 1)
    progress.report()


class _Large(Exception):
    """The answer is so long that it is better fetched in ranges."""


class _Fetch:
    """One file on its way."""

    def __init__(
        self, owner: FilesOwner, path: RemotePath, local: AtomicFile, progress: Progress
    ) -> None:
        self.owner = owner
        self.path = path
        self.local = local
        self.progress = progress
        #: Known from the first answer on.
        self.size: Optional[int] = None
        self.etag: Optional[str] = None
        self.announced: Optional[bytes] = None

    def all(self) -> Flow[None]:
        try:
            yield from self.piece(_Sink(self, 0, None))
        except _Large:
            starts = iter(range(0, self.size or 0, RANGE_BYTES))
            yield Together([self.some(starts) for _ in range(CONNECTIONS)])

    def some(self, starts: Iterator[int]) -> Flow[None]:
        """Takes one range after the other, until there are no more."""
        for start in starts:
            yield from self.piece(_Sink(self, start, min(start + RANGE_BYTES, self.size or 0)))

    def piece(self, sink: _Sink) -> Flow[None]:
        patience = Patience(self.progress)
        while True:
            before = sink.position
            try:
                yield Receive(sink.request(), sink)
                sink.check_end()
                return
            except SandportError as error:
                if sink.position > before:
                    patience.progressed()
                if sink.complete:
                    return
                if self.etag is None or sink.end is None or not may_resume(error):
                    raise
                yield patience.pause(error)


class _Sink:
    """The bytes from ``start`` to ``end`` of a file; ``end`` None is learned from the answer."""

    def __init__(self, fetch: _Fetch, start: int, end: Optional[int]) -> None:
        self._fetch = fetch
        self.position = start
        self.end = end

    @property
    def complete(self) -> bool:
        return self.end is not None and self.position == self.end

    def request(self) -> Request:
        fetch = self._fetch
        if self.end is None:
            return files.read(fetch.owner, fetch.path, WHOLE)
        wanted = ByteRange(self.position, self.end)
        return files.read(fetch.owner, fetch.path, wanted, if_match=fetch.etag)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        fetch = self._fetch
        if self.end is not None:
            self._check_range(status, headers)
            return
        fetch.announced = files.announced_digest(headers)
        fetch.etag = headers.get("etag")
        fetch.size = self.end = files.content_length(headers)
        fetch.progress.total_bytes = fetch.size
        if fetch.size is not None and fetch.size > RANGE_BYTES and fetch.etag and _may_jump:
            raise _Large

    def _check_range(self, status: int, headers: Mapping[str, str]) -> None:
        found = _CONTENT_RANGE.match(headers.get("content-range", ""))
        wanted = (self.position, (self.end or 0) - 1, self._fetch.size)
        if status != 206 or found is None or tuple(map(int, found.groups())) != wanted:
            raise _Unusable(
                "The answer is not the range that was asked for; a proxy may not know ranges.",
                code="unexpected_answer",
            )

    def feed(self, pieces: List[bytes]) -> None:
        for piece in pieces:
            if self.end is not None and self.position + len(piece) > self.end:
                raise NetworkError("More bytes arrived than were announced.", code="network_error")
            self._fetch.local.write_at(self.position, piece)
            self.position += len(piece)
            self._fetch.progress.add(len(piece))

    def report(self) -> None:
        self._fetch.progress.report()

    def check_end(self) -> None:
        """:raises NetworkError: when another number of bytes arrived than was announced."""
        if self.end is not None and not self.complete:
            raise NetworkError(
                f"{self.position} bytes arrived of {self.end}.", code="network_error"
            )


class _Unusable(SandportError):
    pass


#: Without pwrite all bytes come from one thread, in order.
_may_jump = hasattr(os, "pwrite")
