"""Requests of resumable uploads (tus 1.0)."""

from __future__ import annotations

import base64
from typing import Dict, Mapping, Optional

from ..errors import NetworkError
from .call import Answer, Call, Request, ignore
from .owner import FilesOwner

_VERSION = {"Tus-Resumable": "1.0.0"}

#: Seconds that giving an upload up may take: the caller waits for it after an error.
_DELETE_SECONDS = 10.0


def create(owner: FilesOwner, size: int, metadata: Mapping[str, Optional[str]]) -> Call[str]:
    """Begins an upload; gives its id."""
    pairs = [
        f"{key} {base64.b64encode(value.encode('utf-8')).decode('ascii')}"
        for key, value in metadata.items()
        if value is not None
    ]
    headers = {**_VERSION, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
    return Call(Request("POST", owner.target("uploads"), headers), _id)


def put_part(owner: FilesOwner, upload: str, offset: int, size: int, sha256: bytes) -> Request:
    """A PATCH without its body."""
    headers = {
        **_VERSION,
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(size),
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"sha256 {base64.b64encode(sha256).decode('ascii')}",
    }
    return Request("PATCH", _one(owner, upload), headers)


def find_offset(owner: FilesOwner, upload: str) -> Call[int]:
    return Call(Request("HEAD", _one(owner, upload), _VERSION), offset_of)


def delete(owner: FilesOwner, upload: str) -> Call[None]:
    request = Request("DELETE", _one(owner, upload), _VERSION, read_timeout=_DELETE_SECONDS)
    return Call(request, ignore)


def offset_of(answer: Answer) -> int:
    """Bytes that the daemon has."""
    text = answer.headers.get("upload-offset", "")
    if not (text.isascii() and text.isdigit()):
        raise _not_tus("Upload-Offset")
    return int(text)


def _id(answer: Answer) -> str:
    location = answer.headers.get("location", "")
    found = location.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    if not found:
        raise _not_tus("Location")
    return found


def _not_tus(header: str) -> NetworkError:
    return NetworkError(
        f"The answer to an upload has no {header}; a proxy may have taken it out.",
        code="network_error",
    )


def _one(owner: FilesOwner, upload: str) -> str:
    return owner.target("uploads", upload)


def metadata(
    path: str,
    *,
    mode: Optional[str],
    mtime: Optional[str],
    if_match: Optional[str],
    if_none_match: Optional[str],
) -> Dict[str, Optional[str]]:
    return {
        "path": path,
        "mode": mode,
        "mtime": mtime,
        "if_match": if_match,
        "if_none_match": if_none_match,
    }
