"""A request and how to read its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Callable, Dict, Generic, Literal, Mapping, Optional, Tuple, TypeVar, Union
from urllib.parse import quote

from ..errors import NetworkError, make_error

T = TypeVar("T")

#: A path in the sandbox.
RemotePath = Union[str, PurePosixPath]

#: Seconds without a byte; ``idle`` takes the connection's; ``forever`` waits as long as it lasts.
ReadTimeout = Union[float, Literal["idle", "forever"]]


@dataclass(frozen=True)
class Request:
    method: str
    #: Percent-encoded path and query below the daemon's address.
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    read_timeout: ReadTimeout = "idle"
    #: Seconds that the daemon may leave a piece of the body waiting.
    write_timeout: ReadTimeout = "idle"
    #: True when the caller takes the answer to a second try for that to the first, although the
    #: first may have been carried out. Reading is always repeatable.
    repeatable: bool = False
    #: Statuses beside 2xx that are an answer and no error.
    also_expected: Tuple[int, ...] = ()

    @property
    def idempotent(self) -> bool:
        """True when sending it twice leaves what sending it once leaves."""
        return self.method in ("GET", "HEAD", "PUT", "DELETE")


@dataclass(frozen=True)
class Answer:
    """A successful answer, body read."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.content)
        except ValueError as cause:
            raise _not_ours(self) from cause

    def json_object(self) -> Dict[str, Any]:
        value = self.json()
        if not isinstance(value, dict):
            raise _not_ours(self)
        return value


def _not_ours(answer: Answer) -> NetworkError:
    return NetworkError(
        "The answer is not JSON of a Sandport daemon. Check the address.",
        code="network_error",
        status_code=answer.status,
    )


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request with the function that makes the result of its answer."""

    request: Request
    parse: Callable[[Answer], T]


def woke_of(headers: Mapping[str, str]) -> Optional[str]:
    """``memory`` or ``disk`` when the request woke a hibernated sandbox, else None."""
    value = headers.get("x-sandport-woke")
    return value if value in ("memory", "disk") else None


def ignore(_: Answer) -> None:
    """For answers that say nothing but that it was done."""


def target(*segments: str, query: Optional[Mapping[str, Optional[str]]] = None) -> str:
    """``/v1/a/b?key=value``; segments and values are percent-encoded, None values left out."""
    path = "/v1/" + "/".join(quote(segment, safe="") for segment in segments)
    pairs = [
        f"{quote(key, safe='')}={quote(value, safe='/')}"
        for key, value in (query or {}).items()
        if value is not None
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def empty_request(method: str, where: str) -> Request:
    """A change of state without a body; it takes as long as it takes."""
    return Request(method, where, read_timeout="forever")


def given(**fields: Any) -> Dict[str, Any]:
    """Those that are not None."""
    return {key: value for key, value in fields.items() if value is not None}


def json_request(
    method: str, where: str, body: Mapping[str, Any], read_timeout: ReadTimeout = "idle"
) -> Request:
    # surrogatepass would send what is not Unicode: ASCII escapes keep it visible to the daemon.
    content = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return Request(method, where, {"Content-Type": "application/json"}, content, read_timeout)


def remote_path(path: RemotePath) -> str:
    """Text of a path in the sandbox.

    :raises BadRequestError: ``invalid_path`` when it cannot be sent as UTF-8.
    """
    if not isinstance(path, (str, PurePosixPath)):
        raise TypeError(f"path must be str or PurePosixPath, not {type(path).__name__}")
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as cause:
        shown = text.encode("utf-8", "backslashreplace").decode("utf-8")
        raise make_error(
            f"The path {shown!r} is not valid Unicode.", code="invalid_path", details={"path": text}
        ) from cause
    return text


def flag(value: bool) -> str:
    return "true" if value else "false"
