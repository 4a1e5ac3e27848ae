"""Errors of the SDK in the words of the agent-sandbox API."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Dict, Final, Iterator, Optional

from ...errors import ConfigError, NetworkError, SandportError
from ..exceptions import (
    ErrorResponse,
    SandboxApiError,
    SandboxError,
    SandboxRequestError,
    reason_of,
)

#: Statuses that the runtimes of agent-sandbox give where the daemon gives others: what is no file
#: cannot be read, what is no directory cannot be listed, and a router has no sandbox behind it.
_STATUSES: Final[Dict[str, int]] = {
    "is_directory": 404,
    "not_a_directory": 404,
    "not_a_regular_file": 404,
    "sandbox_not_found": 502,
    "permission_denied": 403,
}


@contextmanager
def as_request_errors(what: str = "") -> Iterator[None]:
    """Around a request about files or commands.

    :param what: said before the reason.
    :raises SandboxRequestError: in place of the SDK's error.
    """
    try:
        yield
    except ConfigError as error:
        raise SandboxError(str(error)) from None
    except SandportError as error:
        raise request_error(error, what) from None


@contextmanager
def as_api_errors(what: str = "") -> Iterator[None]:
    """Around a request about sandboxes as a whole.

    :raises SandboxApiError: for what the daemon refused; :class:`SandboxRequestError` when it was
        not reached.
    """
    try:
        yield
    except ConfigError as error:
        raise SandboxError(str(error)) from None
    except NetworkError as error:
        raise request_error(error, what) from None
    except SandportError as error:
        raise api_error(error, what) from None


def request_error(error: SandportError, what: str = "") -> SandboxRequestError:
    status = error.status_code
    if status is not None:
        status = _STATUSES.get(error.code, status)
    return SandboxRequestError(_sentence(error, what), status, _response(error, status))


def api_error(error: SandportError, what: str = "") -> SandboxApiError:
    status = error.status_code
    return SandboxApiError(
        _sentence(error, what), status, reason_of(status), _body(error), error.code
    )


def _sentence(error: SandportError, what: str) -> str:
    return f"{what}: {error}" if what else str(error)


def _response(error: SandportError, status: Optional[int]) -> Optional[ErrorResponse]:
    if status is None:
        return None
    return ErrorResponse(status, _body(error).encode("utf-8"), {"content-type": "application/json"})


def _body(error: SandportError) -> str:
    return json.dumps({"error": str(error), "code": error.code, **error.details}, default=str)
