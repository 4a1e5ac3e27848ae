"""Many files at once, in as few requests as it takes."""

from __future__ import annotations

from typing import Callable, List, Sequence

from .._flow import Flow, Receive, Send
from .._wire import batch
from .._wire.batch import FileSpec, ReadLines
from .._wire.call import Answer, RemotePath
from .._wire.owner import FilesOwner
from ..file_models import FileResult


def write_files(
    owner: FilesOwner,
    files: Sequence[FileSpec],
    mode: str,
    base: Callable[[RemotePath], RemotePath],
) -> Flow[List[FileResult]]:
    results: List[FileResult] = []
    for group in batch.groups(list(files), mode):
        body = batch.write_body(group, base)
        answer: Answer = yield Send(batch.write_request(owner, mode), body)
        results.extend(batch.write_results(answer))
    return results


def read_files(owner: FilesOwner, paths: Sequence[RemotePath], mode: str) -> Flow[List[FileResult]]:
    results: List[FileResult] = []
    for group in batch.groups(paths, mode):
        lines = ReadLines()
        yield Receive(batch.read_request(owner, group, mode), lines)
        results.extend(lines.finish(len(group)))
    return results
