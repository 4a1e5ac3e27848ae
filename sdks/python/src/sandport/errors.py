"""Errors: one class for each group of codes, all below :class:`SandportError`."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Type

from ._error_base import SandportError
from ._error_table import (
    ERROR_TABLE,
    AuthError,
    BadRequestError,
    ConflictError,
    LimitError,
    NotFoundError,
    PermissionError,
    PreconditionFailedError,
    ServerError,
    StorageFullError,
    TooLargeError,
    UnavailableError,
)
from .models import ExecResult

__all__ = [
    "ERROR_TABLE",
    "AuthError",
    "BadRequestError",
    "CommandFailedError",
    "CommandLostError",
    "ConfigError",
    "ConflictError",
    "DigestMismatchError",
    "LimitError",
    "LocalFileError",
    "NetworkError",
    "NotFoundError",
    "PermissionError",
    "PreconditionFailedError",
    "SandportError",
    "SandportTimeoutError",
    "ServerError",
    "StorageFullError",
    "TooLargeError",
    "UnavailableError",
    "error_from_answer",
]


class ConfigError(SandportError):
    """No address or no API key of a daemon is known. Code ``not_configured``."""


class NetworkError(SandportError):
    """The daemon was not reached, or the connection broke. Code ``network_error``."""


class SandportTimeoutError(NetworkError):
    """The connection was idle for too long. Code ``client_timeout``."""


class DigestMismatchError(SandportError):
    """Bytes changed on their way: the SHA-256 of both sides differ. Code ``digest_mismatch``."""


class LocalFileError(SandportError):
    """Something on this machine's disk stands in the way. Code ``local_file``."""

    def __init__(self, message: str, path: str, **more: Any) -> None:
        super().__init__(message, code="local_file", details={"local_path": path}, **more)


class CommandFailedError(SandportError):
    """A command run with ``check=True`` did not end with 0. Code ``command_failed``."""

    #: What the command gave.
    result: ExecResult

    def __init__(self, message: str, result: ExecResult) -> None:
        super().__init__(message, code="command_failed")
        self.result = result


class CommandLostError(SandportError):
    """How a command ended is not known: its processes went with those of the sandbox. Code
    ``command_lost``."""


_CLASS_OF_STATUS: Mapping[int, Type[SandportError]] = {
    401: AuthError,
    403: PermissionError,
    404: NotFoundError,
    409: ConflictError,
    412: PreconditionFailedError,
    413: TooLargeError,
    429: LimitError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
    507: StorageFullError,
}


def error_from_answer(
    status: int, content: bytes, request_id: Optional[str] = None
) -> SandportError:
    """The error that an HTTP answer stands for, also when a proxy made it and not the daemon."""
    body = _json_object(content)
    message = body.pop("error", None)
    code = body.pop("code", None)
    if not isinstance(message, str):
        message = f"The server answered with HTTP status {status}."
    return make_error(
        message,
        code=code if isinstance(code, str) else "unknown",
        status=status,
        details=body,
        request_id=request_id,
    )


def make_error(
    message: str,
    *,
    code: str,
    status: Optional[int] = None,
    details: Optional[Mapping[str, Any]] = None,
    request_id: Optional[str] = None,
) -> SandportError:
    """An error of the class that the table names for the code."""
    row = ERROR_TABLE.get(code)
    if row is not None:
        cls = row.error_class
    elif status is None or status in _CLASS_OF_STATUS:
        cls = _CLASS_OF_STATUS.get(status or 0, ServerError)
    else:
        cls = ServerError if status >= 500 else BadRequestError
    return cls(
        message,
        code=code,
        status_code=status,
        details=details,
        request_id=request_id,
        retryable=row.retryable if row is not None else status in (429, 502, 503, 504),
        advice=row.advice if row is not None else None,
    )


def _json_object(content: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
