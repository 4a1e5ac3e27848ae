"""The part of the daemon in memory that resumes: uploads in parts, ranges, archives."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from typing import TYPE_CHECKING, List
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from fake_daemon import Handler, Seen


def upload(handler: Handler, seen: Seen, rest: List[str]) -> None:
    from fake_daemon import Fault, Upload

    uploads = handler.fake.uploads
    if seen.method == "POST":
        pairs = (pair.split(" ") for pair in seen.headers["upload-metadata"].split(","))
        metadata = {key: base64.b64decode(value).decode() for key, value in pairs}
        made = uuid.uuid4().hex
        uploads[made] = Upload(metadata["path"], int(seen.headers["upload-length"]))
        base = f"/v1/sandboxes/{seen.segments[1]}/uploads"
        return handler.answer(201, Location=f"http://elsewhere{base}/{made}")
    if rest[0] not in uploads:
        raise Fault(404, "upload_not_found", "No such upload.")
    found = uploads[rest[0]]
    if seen.method == "DELETE":
        del uploads[rest[0]]
        return handler.answer(204)
    if seen.method == "PATCH":
        if handler.fake.before_part is not None:
            handler.fake.before_part()
        if int(seen.headers["upload-offset"]) != len(found.data):
            raise Fault(409, "unknown", "Another offset.")
        digest = base64.b64encode(hashlib.sha256(seen.body).digest()).decode()
        if seen.headers["upload-checksum"] != f"sha256 {digest}":
            raise Fault(400, "digest_mismatch", "The part changed on its way.")
        found.data += seen.body
        if len(found.data) == found.size:
            handler.fake.files[found.path] = found.data
            del uploads[rest[0]]
    return handler.answer(204, Upload_Offset=str(len(found.data)))


def keep_start(handler: Handler, data: bytes) -> None:
    """A part that breaks off leaves its start."""
    segments = [unquote(part) for part in urlsplit(handler.path).path.split("/")]
    found = handler.fake.uploads.get(segments[-1])
    if found is not None and int(handler.headers["Upload-Offset"]) == len(found.data):
        found.data += data


def read(handler: Handler, seen: Seen, data: bytes) -> None:
    from fake_daemon import Fault, etag

    wanted = seen.headers.get("range")
    if wanted is not None and handler.fake.before_part is not None:
        handler.fake.before_part()
        data = handler.fake.files[seen.query["path"]]
    validator = etag(data)
    if seen.headers.get("if-match") not in (None, validator):
        raise Fault(412, "precondition_failed", "It changed.", path=seen.query["path"])
    if wanted is None:
        return handler.answer(200, data, ETag=validator)
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    assert match is not None
    first, last = match.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(len(data), int(last) + 1) if first and last else len(data)
    if start >= len(data):
        raise Fault(416, "range_not_satisfiable", "Behind the end.")
    return handler.answer(
        206, data[start:end], ETag=validator, Content_Range=f"bytes {start}-{end - 1}/{len(data)}"
    )


def archive(handler: Handler, seen: Seen) -> None:
    if seen.method == "GET":
        return handler.answer(200, handler.fake.archive)
    handler.fake.archives[seen.query["path"]] = seen.body
    return handler.answer_json(counted(seen.body))


def counted(data: bytes) -> dict[str, int]:
    """What the daemon says of an archive."""
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
    return {
        "files": sum(member.type == tarfile.REGTYPE for member in members),
        "directories": sum(member.isdir() for member in members),
        "symlinks": sum(member.issym() for member in members),
        "hard_links": sum(member.islnk() for member in members),
        "bytes": sum(member.size for member in members if member.type == tarfile.REGTYPE),
    }
