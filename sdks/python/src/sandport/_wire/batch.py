"""Requests about many files at once. Bodies and answers are a line of JSON a file."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple, Union

from .._values import mode_text, nanoseconds, time_text, unix_seconds
from ..errors import NetworkError, make_error
from ..file_models import FileResult, FileWrite
from .body import Body
from .call import Answer, Call, RemotePath, Request, json_request, remote_path
from .files import check_download
from .owner import FilesOwner

#: A file to write: the object, or a path with its contents.
FileSpec = Union[FileWrite, Tuple[RemotePath, Union[str, bytes]]]

#: ``each``: what fails does not stop the rest; ``all``: nothing happens unless everything can.
EACH = "each"

#: Files of one request.
BATCH_FILES = 10_000

#: Longest line of an answer: a file of 16 MiB in Base64 and what is said about it.
MAX_LINE_BYTES = 32 * 1024 * 1024

#: Bytes of lines gathered before they are sent.
_GATHER_BYTES = 256 * 1024


def groups(items: Sequence[Any], mode: str) -> Iterator[Sequence[Any]]:
    """As many items as one request takes; with ``all`` everything goes at once."""
    if mode not in (EACH, "all"):
        raise ValueError(f"mode must be 'each' or 'all', not {mode!r}")
    if mode == "all" or not items:
        yield items
        return
    for start in range(0, len(items), BATCH_FILES):
        yield items[start : start + BATCH_FILES]


def write_request(owner: FilesOwner, mode: str) -> Request:
    where = owner.target("fs", "batch", "write", query={"mode": mode})
    headers = {"Content-Type": "application/x-ndjson"}
    return Request("POST", where, headers, read_timeout="forever")


def write_body(files: Iterable[FileSpec], base: Any) -> Body:
    """:param base: makes the path in the sandbox of the caller's path."""
    return Body(_gathered(_write_line(as_file(item), base) for item in files), None, hashed=False)


def as_file(item: FileSpec) -> FileWrite:
    """:raises TypeError: for what is neither."""
    if isinstance(item, FileWrite):
        return item
    if isinstance(item, tuple) and len(item) == 2:
        return FileWrite(remote_path(item[0]), item[1])
    raise TypeError(f"a file must be FileWrite or (path, content), not {type(item).__name__}")


def _write_line(file: FileWrite, base: Any) -> bytes:
    if not isinstance(file.content, (str, bytes)):
        kind = type(file.content).__name__
        raise TypeError(f"content of {file.path} must be str or bytes, not {kind}")
    data = file.content.encode("utf-8") if isinstance(file.content, str) else file.content
    line: Dict[str, Any] = {
        "path": remote_path(base(file.path)),
        "content_base64": base64.b64encode(data).decode("ascii"),
        "mode": mode_text(file.mode),
        "uid": file.uid,
        "gid": file.gid,
        "mtime": None if file.mtime is None else time_text(nanoseconds(file.mtime)),
        "if_match": file.if_match,
        "if_none_match": file.if_none_match,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return _json_line({key: value for key, value in line.items() if value is not None})


def write_results(answer: Answer) -> List[FileResult]:
    return [_result(item) for item in answer.json_object()["results"]]


def read_request(owner: FilesOwner, paths: Sequence[RemotePath], mode: str) -> Request:
    body = {"paths": [remote_path(path) for path in paths], "mode": mode}
    where = owner.target("fs", "batch", "read")
    return json_request("POST", where, body, "forever")


class ReadLines:
    """A sink that makes results of the lines of a batch read."""

    def __init__(self) -> None:
        self.results: List[FileResult] = []
        self._rest: List[bytes] = []
        self._rest_bytes = 0

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        pass

    def feed(self, pieces: List[bytes]) -> None:
        for piece in pieces:
            *lines, rest = piece.split(b"\n")
            for line in lines:
                self._take(b"".join([*self._rest, line]))
                self._rest, self._rest_bytes = [], 0
            self._rest.append(rest)
            self._rest_bytes += len(rest)
            if self._rest_bytes > MAX_LINE_BYTES:
                raise NetworkError("The daemon sent an endless line.", code="network_error")

    def finish(self, expected: int) -> List[FileResult]:
        """:raises NetworkError: when the answer does not tell of every file."""
        self._take(b"".join(self._rest))
        if len(self.results) != expected:
            raise NetworkError(
                f"The answer ended after {len(self.results)} files of {expected}.",
                code="network_error",
            )
        return self.results

    def report(self) -> None:
        pass

    def _take(self, line: bytes) -> None:
        if line.strip():
            self.results.append(_read_result(json.loads(line)))


def _read_result(item: Mapping[str, Any]) -> FileResult:
    if not item.get("ok"):
        return _result(item)
    content = base64.b64decode(item["content_base64"])
    check_download(str(item["path"]), hashlib.sha256(content).digest(), _hex(item["sha256"]))
    return FileResult(
        path=str(item["path"]),
        bytes=int(item["size"]),
        etag=item.get("etag"),
        content=content,
        permissions=item.get("permissions"),
        mod_time=unix_seconds(item.get("modified_at"), 0),
    )


def remove(
    owner: FilesOwner, paths: Sequence[RemotePath], recursive: bool, missing_ok: bool
) -> Call[List[FileResult]]:
    body = {
        "paths": [remote_path(path) for path in paths],
        "recursive": recursive,
        "must_exist": not missing_ok,
    }
    where = owner.target("fs", "batch", "remove")
    return Call(json_request("POST", where, body, "forever"), write_results)


def _result(item: Mapping[str, Any]) -> FileResult:
    path = str(item["path"])
    if item.get("ok"):
        return FileResult(path, None, int(item.get("bytes", 0)), item.get("etag"))
    message, code = str(item.get("error", "It failed.")), str(item.get("code", "unknown"))
    return FileResult(path, make_error(message, code=code, details={"path": path}))


def _hex(text: Any) -> bytes:
    return bytes.fromhex(str(text))


def _json_line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _gathered(lines: Iterable[bytes]) -> Iterator[bytes]:
    kept: List[bytes] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= _GATHER_BYTES:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)
