"""Requests for the bytes of one file. Bodies of files are not here: transports stream them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, Mapping, Optional

from .._values import Moment, format_digest, mode_text, nanoseconds, parse_digest, time_text
from ..errors import DigestMismatchError
from ..file_models import FileContents
from ..models import WriteResult
from .call import Answer, Call, RemotePath, Request, flag, remote_path, woke_of
from .owner import FilesOwner


@dataclass(frozen=True)
class ByteRange:
    """Some bytes of a file; as in a slice, ``end`` is the first that is left out."""

    start: Optional[int] = None
    end: Optional[int] = None
    last: Optional[int] = None

    def header(self) -> Optional[str]:
        """Value of ``Range``; None for the whole file.

        :raises ValueError: for a range that no file has.
        """
        start, end, last = self.start, self.end, self.last
        if last is not None:
            if start is not None or end is not None:
                raise ValueError("give either last, or start and end")
            if last < 1:
                raise ValueError(f"last must be at least 1, not {last}")
            return f"bytes=-{last}"
        if start is None and end is None:
            return None
        first = start or 0
        if first < 0 or (end is not None and end <= first):
            raise ValueError(f"there are no bytes from {first} to {end}")
        return f"bytes={first}-{'' if end is None else end - 1}"


WHOLE = ByteRange()


@dataclass(frozen=True)
class WriteOptions:
    mode: Optional[int] = None
    uid: Optional[int] = None
    gid: Optional[int] = None
    mtime: Optional[Moment] = None
    append: bool = False
    offset: Optional[int] = None
    if_match: Optional[str] = None
    if_none_match: Optional[str] = None
    sync: bool = False
    create_parents: bool = True

    @property
    def conditional(self) -> bool:
        return self.if_match is not None or self.if_none_match is not None


def read(
    owner: FilesOwner,
    path: RemotePath,
    byte_range: ByteRange = WHOLE,
    *,
    if_match: Optional[str] = None,
    if_none_match: Optional[str] = None,
) -> Request:
    headers: Dict[str, str] = {}
    wanted = byte_range.header()
    if wanted is None:
        headers["Want-Repr-Digest"] = "sha-256=1"
    else:
        headers["Range"] = wanted
    if if_match is not None:
        headers["If-Match"] = if_match
    if if_none_match is not None:
        headers["If-None-Match"] = if_none_match
    also = (304,) if if_none_match is not None else ()
    return Request("GET", _fs(owner, path=remote_path(path)), headers, also_expected=also)


def read_if_changed(owner: FilesOwner, path: RemotePath, etag: str) -> Call[Optional[FileContents]]:
    def parse(answer: Answer) -> Optional[FileContents]:
        if answer.status == 304:
            return None
        return FileContents(checked(path, answer), answer.headers.get("etag"))

    return Call(read(owner, path, if_none_match=etag), parse)


def announced_digest(headers: Mapping[str, str]) -> Optional[bytes]:
    """SHA-256 of the contents that follow: the daemon sends it ahead of files of up to 1 MiB."""
    return parse_digest(headers.get("repr-digest"))


def checked(path: RemotePath, answer: Answer) -> bytes:
    """The contents of a file. :raises DigestMismatchError: when they are not what was sent."""
    announced = announced_digest(answer.headers)
    if announced is not None and answer.status == 200:  # Of a range it is that of the whole file.
        check_download(str(path), hashlib.sha256(answer.content).digest(), announced)
    return answer.content


def write(
    owner: FilesOwner,
    path: RemotePath,
    options: WriteOptions,
    *,
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
    if options.if_match is not None:
        headers["If-Match"] = options.if_match
    if options.if_none_match is not None:
        headers["If-None-Match"] = options.if_none_match
    if options.append and options.offset is not None:
        raise ValueError("give either append or offset")
    where = _fs(
        owner,
        path=remote_path(path),
        mode=mode_text(options.mode),
        uid=_number(options.uid),
        gid=_number(options.gid),
        mtime=None if options.mtime is None else time_text(nanoseconds(options.mtime)),
        append=flag(True) if options.append else None,
        offset=_number(options.offset),
        sync=flag(True) if options.sync else None,
        create_parents=None if options.create_parents else flag(False),
    )
    # With `sync` the daemon is silent until the disk has the file.
    return Request("PUT", where, headers, read_timeout="forever" if options.sync else "idle")


def written(answer: Answer, sent_bytes: int, sent_sha256: bytes) -> WriteResult:
    """The result of a write, once the daemon's account of it matches what was sent."""
    body = answer.json_object()
    size = body.get("size")
    etag = body.get("etag") or answer.headers.get("etag")
    result = WriteResult(str(body["path"]), int(body["bytes"]), etag, size, woke_of(answer.headers))
    stored = parse_digest(answer.headers.get("repr-digest"))
    if result.bytes != sent_bytes or (stored is not None and stored != sent_sha256):
        raise DigestMismatchError(
            f"{result.path} was stored with other contents than were sent.",
            code="digest_mismatch",
            details={"path": result.path},
            retryable=True,
        )
    return result


def digest_of_stored(
    owner: FilesOwner, path: RemotePath, etag: Optional[str]
) -> Call[Optional[bytes]]:
    """Has the daemon read the file again and say its SHA-256; None when it does not say."""
    headers = {"Want-Repr-Digest": "sha-256=1"}
    if etag is not None:
        headers["If-Match"] = etag
    # The daemon is silent while it reads the file.
    request = Request("HEAD", _fs(owner, path=remote_path(path)), headers, b"", "forever")
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


def content_length(headers: Mapping[str, str]) -> Optional[int]:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _fs(owner: FilesOwner, **query: Optional[str]) -> str:
    return owner.target("fs", query=query)


def _number(value: Optional[int]) -> Optional[str]:
    return None if value is None else str(value)
