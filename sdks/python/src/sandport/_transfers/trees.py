"""Whole directories, up and down, in one request each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import Iterable, Optional, Sequence, Set, Tuple

from .._flow import Flow, Receive, Send, Work
from .._local_file import LocalPath
from .._progress import Progress
from .._tree.confined import ConfinedDirectory
from .._tree.extract import ExtractLimits, Extractor
from .._tree.ignore import IGNORE_FILE, Ignore, read_rules
from .._tree.pack import packed
from .._tree.scan import LocalEntry, walk
from .._wire import archive
from .._wire.body import Body
from .._wire.call import Answer, RemotePath
from .._wire.owner import FilesOwner
from ..errors import NetworkError
from ..tree_models import SkippedEntry, TreeResult


@dataclass(frozen=True)
class TreeOptions:
    ignore: Optional[Sequence[str]] = None
    ignore_file: Optional[str] = IGNORE_FILE
    compression: str = "none"


def upload_dir(
    owner: FilesOwner,
    local_path: LocalPath,
    path: RemotePath,
    options: TreeOptions,
    progress: Progress,
) -> Flow[TreeResult]:
    root = os.fspath(local_path)
    yield Work(partial(check_directory, root))
    ignore: Ignore = yield Work(partial(read_rules, root, options.ignore, options.ignore_file))
    result = TreeResult()
    if progress.callback is not None:
        progress.total_bytes = yield Work(partial(_count, root, ignore))

    def skip(name: str, reason: str) -> None:
        result.skipped.append(SkippedEntry(name, reason))

    entries = walk(root, ignore, skip)
    return (yield from send_entries(owner, root, entries, path, options, progress, result))


def send_entries(
    owner: FilesOwner,
    root: str,
    entries: Iterable[LocalEntry],
    path: RemotePath,
    options: TreeOptions,
    progress: Progress,
    result: TreeResult,
) -> Flow[TreeResult]:
    chunks = packed(root, entries, result, progress, options.compression)
    body = Body(chunks, None, hashed=False)
    body.progress = progress
    answer: Answer = yield Send(archive.upload(owner, path), body)
    _check_counts(answer, result)
    progress.report()
    return result


def download_dir(
    owner: FilesOwner,
    path: RemotePath,
    local_path: LocalPath,
    options: TreeOptions,
    exclude: Optional[Sequence[str]],
    limits: ExtractLimits,
    progress: Progress,
) -> Flow[TreeResult]:
    root = os.fspath(local_path)
    request = archive.download(owner, path, options.compression, exclude)
    ignore = Ignore(_rules(options.ignore))
    with ConfinedDirectory(root) as tree:
        sink = Extractor(tree, ignore, limits, progress, gzip=options.compression == "gzip")
        started = _OpenOnBegin(sink, tree)
        try:
            yield Receive(request, started)
            result: TreeResult = yield Work(sink.finish)
        finally:
            sink.close()
    progress.report()
    return result


class _OpenOnBegin:
    """Makes the local directory only when the daemon has something to put into it."""

    def __init__(self, extractor: Extractor, tree: ConfinedDirectory) -> None:
        self._tree = tree
        self.feed = extractor.feed
        self.report = extractor.report

    def begin(self, status: int, headers: object) -> None:
        self._tree.open()


def _rules(rules: Optional[Sequence[str]]) -> Sequence[str]:
    if isinstance(rules, str):
        raise TypeError("ignore must be a list of rules, not one string")
    return rules or ()


def check_directory(root: str) -> None:
    """:raises OSError: for what is no directory that can be read."""
    with os.scandir(root):
        pass


def _count(root: str, ignore: Ignore) -> int:
    """Bytes of contents; hard links count once."""
    total = 0
    seen: Set[Tuple[int, int]] = set()
    for entry in walk(root, ignore, lambda _name, _reason: None):
        status = entry.status
        if entry.type != "file" or (status.st_dev, status.st_ino) in seen:
            continue
        if status.st_nlink > 1:
            seen.add((status.st_dev, status.st_ino))
        total += status.st_size
    return total


def _check_counts(answer: Answer, sent: TreeResult) -> None:
    """:raises NetworkError: when the daemon unpacked something else than was sent."""
    told = answer.json_object()
    here = (sent.files, sent.symlinks, sent.hard_links, sent.bytes)
    there = tuple(int(told[key]) for key in ("files", "symlinks", "hard_links", "bytes"))
    if here != there:
        raise NetworkError(
            f"The daemon unpacked {there[0]} files with {there[3]} bytes of {here[0]} files with "
            f"{here[3]} bytes. Send the directory again.",
            code="unexpected_answer",
        )
