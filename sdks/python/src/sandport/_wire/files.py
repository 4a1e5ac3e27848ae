"""Requests about files. Bodies of files are not here: transports stream them."""

from __future__ import annotations

import hashlib
from typing import List, Mapping, Optional

from .._values import format_digest, parse_digest
from ..errors import DigestMismatchError, SandportError
from ..models import FileEntry, WriteResult
from .call import Answer, Call, RemotePath, Request, flag, ignore, remote_path, target


def read(sandbox: str, path: RemotePath) -> Request:
    headers = {"Want-Repr-Digest": "sha-256=1"}
    return Request("GET", _fs(sandbox, path=remote_path(path)), headers)


def announced_digest(headers: Mapping[str, str]) -> Optional[bytes]:
    """SHA-256 of the contents that follow: the daemon sends it ahead of files of up to 1 MiB."""
    return parse_digest(headers.get("repr-digest"))


def checked(path: RemotePath, answer: Answer) -> bytes:
    """The contents of a file. :raises DigestMismatchError: when they are not what was sent."""
    announced = announced_digest(answer.headers)
    if announced is not None:
        check_download(str(path), hashlib.sha256(answer.content).digest(), announced)
    return answer.content


def write(
    sandbox: str,
    path: RemotePath,
    *,
    mode: Optional[int] = None,
    size: Optional[int] = None,
    sha256: Optional[bytes] = None,
) -> Request:
    """A PUT without its body. ``size`` None means a chunked body. The daemon refuses bytes that
    do not have the digest; without one it says that of what it stored."""
    headers = {"Content-Type": "application/octet-stream"}
    if size is not None:
        headers["Content-Length"] = str(size)
    if sha256 is not None:
        headers["Repr-Digest"] = format_digest(sha256)
    else:
        headers["Want-Repr-Digest"] = "sha-256=1"
    octal = f"{mode:04o}" if mode is not None else None
    return Request("PUT", _fs(sandbox, path=remote_path(path), mode=octal), headers)


def written(answer: Answer, sent_bytes: int, sent_sha256: bytes) -> WriteResult:
    """The result of a write, once the daemon's account of it matches what was sent."""
    body = answer.json_object()
    result = WriteResult(str(body["path"]), int(body["bytes"]), answer.headers.get("etag"))
    stored = parse_digest(answer.headers.get("repr-digest"))
    if result.bytes != sent_bytes or (stored is not None and stored != sent_sha256):
        raise DigestMismatchError(
            f"{result.path} was stored with other contents than were sent.",
            code="digest_mismatch",
            details={"path": result.path},
            retryable=True,
        )
    return result


def digest_of_stored(sandbox: str, path: RemotePath, etag: Optional[str]) -> Call[Optional[bytes]]:
    """Has the daemon read the file again and say its SHA-256; None when it does not say."""
    headers = {"Want-Repr-Digest": "sha-256=1"}
    if etag is not None:
        headers["If-Match"] = etag
    # The daemon is silent while it reads the file.
    request = Request("HEAD", _fs(sandbox, path=remote_path(path)), headers, b"", "forever")
    return Call(request, lambda answer: parse_digest(answer.headers.get("repr-digest")))


def check_download(path: str, received: bytes, stored: Optional[bytes]) -> None:
    """:raises DigestMismatchError: when the digests differ, or the daemon gave none."""
    if stored == received:
        return
    reason = "the daemon gave no digest" if stored is None else "its contents changed on the way"
    raise DigestMismatchError(
        f"{path} could not be verified: {reason}.",
        code="digest_mismatch",
        details={"path": path},
        retryable=True,
    )


def list_directory(sandbox: str, path: RemotePath) -> Call[List[FileEntry]]:
    where = target("sandboxes", sandbox, "fs", "dir", query={"path": remote_path(path)})
    return Call(Request("GET", where), _entries)


def stat(sandbox: str, path: RemotePath, follow_symlinks: bool = True) -> Call[FileEntry]:
    query = {
        "path": remote_path(path),
        "follow_symlinks": None if follow_symlinks else flag(False),
    }
    return Call(Request("GET", target("sandboxes", sandbox, "fs", "stat", query=query)), _entry)


def remove(sandbox: str, path: RemotePath, *, recursive: bool, missing_ok: bool) -> Call[None]:
    where = _fs(
        sandbox,
        path=remote_path(path),
        recursive=flag(recursive),
        must_exist=flag(not missing_ok),
    )
    return Call(Request("DELETE", where, read_timeout="forever"), ignore)


def make_directory(sandbox: str, path: RemotePath) -> Call[None]:
    where = target("sandboxes", sandbox, "fs", "mkdir", query={"path": remote_path(path)})
    return Call(Request("POST", where), ignore)


def means_missing(error: SandportError) -> bool:
    """True when the error says that nothing can be at the path, as ``os.path.exists`` sees it."""
    return error.code in ("file_not_found", "not_a_directory", "symlink_loop")


def content_length(headers: Mapping[str, str]) -> Optional[int]:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _fs(sandbox: str, **query: Optional[str]) -> str:
    return target("sandboxes", sandbox, "fs", query=query)


def _entry(answer: Answer) -> FileEntry:
    return FileEntry.from_wire(answer.json_object())


def _entries(answer: Answer) -> List[FileEntry]:
    return [FileEntry.from_wire(item) for item in answer.json_object().get("entries") or []]
