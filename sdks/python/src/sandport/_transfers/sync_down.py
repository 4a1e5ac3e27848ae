"""The second half of a sync out of the sandbox: what differs is fetched and put in place. The names
come from the guest, so everything goes through :class:`ConfinedDirectory`."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import posixpath
from functools import partial
from typing import Iterator, List, Mapping, Optional

from .._flow import Flow, Receive, Work
from .._progress import Progress
from .._tree.compare import Side, must_go_first
from .._tree.confined import ConfinedDirectory, NewFile, Parts, links_outside, parts_of
from .._wire import batch, files
from .._wire.owner import FilesOwner
from ..errors import LocalFileError, NetworkError
from ..file_models import FileResult
from ..tree_models import SkippedEntry, SyncAction, SyncResult

#: Longer files are fetched one by one.
SMALL_BYTES = 1024 * 1024
#: Contents of one batch.
BATCH_BYTES = 32 * 1024 * 1024
BATCH_FILES = 1000

_MS = 1_000_000


def bring_down(
    owner: FilesOwner,
    root: str,
    remote: Side,
    remote_root: str,
    result: SyncResult,
    progress: Progress,
) -> Flow[None]:
    with ConfinedDirectory(root) as tree:
        yield Work(tree.open)
        local = _Local(tree, remote, result, progress)
        yield Work(local.prepare)
        for group in _groups(local.small):
            paths = [posixpath.join(remote_root, action.path) for action in group]
            lines = batch.ReadLines()
            yield Receive(batch.read_request(owner, paths, batch.EACH), lines)
            found = lines.finish(len(group))
            yield Work(partial(local.put_small, group, found))
            progress.report()
        for action in local.large:
            sink = _LargeFile(local, action)
            where = posixpath.join(remote_root, action.path)
            try:
                yield Receive(files.read(owner, where), sink)
                yield Work(sink.finish)
            finally:
                sink.close()
            progress.report()
        yield Work(local.finish)


class _Local:
    """The local directory while it is changed."""

    def __init__(
        self, tree: ConfinedDirectory, remote: Side, result: SyncResult, progress: Progress
    ) -> None:
        self.tree = tree
        self.progress = progress
        self._remote = remote
        self._result = result
        self._directories: List[SyncAction] = []
        self.small: List[SyncAction] = []
        self.large: List[SyncAction] = []

    def prepare(self) -> None:
        """Everything but the contents of files."""
        for action in list(self._result.actions):
            with _naming(self.tree, action.path):
                self._prepare(action, parts_of(os.fsencode(action.path)))

    def _prepare(self, action: SyncAction, parts: Parts) -> None:
        item = self._remote.items.get(action.path)
        if must_go_first(action):
            self._delete(action, parts)
        if action.action == "deleted" or item is None:
            return
        if action.type == "directory":
            self.tree.make_directory(parts)
            self._directories.append(action)
        elif action.type == "symlink":
            goal = os.fsencode(item.goal or "")
            if links_outside(parts[:-1], goal):
                self._skip(action, "the symbolic link may lead outside of the directory")
            else:
                self.tree.symlink(parts, goal, item.mtime_ms * _MS)
        elif action.mode_only:
            self.tree.set_mode(parts, item.mode)
        elif item.size <= SMALL_BYTES:
            self.small.append(action)
        else:
            self.large.append(action)

    def _delete(self, action: SyncAction, parts: Parts) -> None:
        try:
            self.tree.remove(parts)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            self._skip(action, "something new is in it")

    def _skip(self, action: SyncAction, reason: str) -> None:
        self._result.actions.remove(action)
        self._result.skipped.append(SkippedEntry(action.path, reason))

    def put_small(self, group: List[SyncAction], found: List[FileResult]) -> None:
        for action, result in zip(group, found):
            if result.error is not None or result.content is None:
                self._skip(action, str(result.error))
                continue
            with _naming(self.tree, action.path):
                file = self.create(action)
                try:
                    file.write(memoryview(result.content))
                except BaseException:
                    file.discard()
                    raise
                seconds = result.mod_time
                self.commit(action, file, None if seconds is None else round(seconds * 1000))
            self.progress.add(len(result.content))

    def create(self, action: SyncAction) -> NewFile:
        return self.tree.create(parts_of(os.fsencode(action.path)))

    def commit(self, action: SyncAction, file: NewFile, mtime_ms: Optional[int] = None) -> None:
        item = self._remote.items[action.path]
        file.commit(item.mode, (item.mtime_ms if mtime_ms is None else mtime_ms) * _MS)
        self.progress.add(0, 1)

    def finish(self) -> None:
        for action in reversed(self._directories):
            item = self._remote.items[action.path]
            with _naming(self.tree, action.path):
                parts = parts_of(os.fsencode(action.path))
                self.tree.finish_directory(parts, item.mode, item.mtime_ms * _MS)


class _LargeFile:
    """A sink that puts one file in place."""

    def __init__(self, local: _Local, action: SyncAction) -> None:
        self._local = local
        self._action = action
        self._file: Optional[NewFile] = None
        self._digest = hashlib.sha256()
        self._announced: Optional[bytes] = None
        self._expected: Optional[int] = None
        self._received = 0

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._expected = files.content_length(headers)
        self._announced = files.announced_digest(headers)
        with _naming(self._local.tree, self._action.path):
            self._file = self._local.create(self._action)

    def feed(self, pieces: List[bytes]) -> None:
        assert self._file is not None
        with _naming(self._local.tree, self._action.path):
            for piece in pieces:
                self._file.write(memoryview(piece))
                self._received += len(piece)
                if self._announced is not None:
                    self._digest.update(piece)
                self._local.progress.add(len(piece))

    def report(self) -> None:
        self._local.progress.report()

    def finish(self) -> None:
        if self._expected is not None and self._received != self._expected:
            raise NetworkError(
                f"{self._received} bytes arrived of {self._expected}.", code="network_error"
            )
        if self._announced is not None:
            files.check_download(self._action.path, self._digest.digest(), self._announced)
        file, self._file = self._file, None
        assert file is not None
        with _naming(self._local.tree, self._action.path):
            self._local.commit(self._action, file)

    def close(self) -> None:
        if self._file is not None:
            self._file.discard()
            self._file = None


@contextlib.contextmanager
def _naming(tree: ConfinedDirectory, path: str) -> Iterator[None]:
    """Errors of the disk name the local path."""
    try:
        yield
    except OSError as cause:
        shown = os.path.join(tree.root, path)
        why = cause.strerror or str(cause)
        raise LocalFileError(f"{shown} cannot be changed: {why}.", shown) from cause


def _groups(actions: List[SyncAction]) -> Iterator[List[SyncAction]]:
    group: List[SyncAction] = []
    size = 0
    for action in actions:
        if group and (len(group) == BATCH_FILES or size + action.bytes > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(action)
        size += action.bytes
    if group:
        yield group
