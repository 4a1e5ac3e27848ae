"""Many files at once, in as few requests as it takes."""

from __future__ import annotations

from typing import Callable, List, Sequence

from .._flow import Flow, Receive, Send
from .._wire import batch
from .._wire.batch import FileSpec, ReadLines
from .._wire.call import Answer, RemotePath
from ..file_models import FileResult


def write_files(
    sandbox: str, files: Sequence[FileSpec], mode: str, base: Callable[[RemotePath], RemotePath]
) -> Flow[List[FileResult]]:
    results: List[FileResult] = []
    for group in batch.groups(list(files), mode):
        body = batch.write_body(group, base)
        answer: Answer = yield Send(batch.write_request(sandbox, mode), body)
        results.extend(batch.write_results(answer))
    return results


def read_files(sandbox: str, paths: Sequence[RemotePath], mode: str) -> Flow[List[FileResult]]:
    results: List[FileResult] = []
    for group in batch.groups(paths, mode):
        lines = ReadLines()
        yield Receive(batch.read_request(sandbox, group, mode), lines)
        results.extend(lines.finish(len(group)))
    return results
