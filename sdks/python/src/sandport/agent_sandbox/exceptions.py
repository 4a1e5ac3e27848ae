"""Errors of the agent-sandbox API, under the names and below the classes that it gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Mapping, Optional


class SandboxError(RuntimeError):
    """Whatever goes wrong with a sandbox."""


class SandboxNotReadyError(SandboxError):
    """The sandbox does not take requests yet."""


class SandboxNoServiceError(SandboxError):
    """The sandbox has no service address. Never raised here."""


#: Older name of the same.
SandboxServiceUnavailableError = SandboxNoServiceError


class SandboxNotFoundError(SandboxError):
    """There is no such sandbox or claim, or it is gone."""


class SnapshotNotFoundError(SandboxError):
    """There is no such snapshot. Never raised here."""


class SandboxTemplateNotFoundError(SandboxError):
    """There is no template of this name."""


class SandboxWarmPoolNotFoundError(SandboxError):
    """There is no warm pool, and no template, of this name."""


class SandboxSourceNotFoundError(SandboxTemplateNotFoundError, SandboxWarmPoolNotFoundError):
    """Neither a template nor a warm pool has this name, which could have been either's."""


class SandboxPortForwardError(SandboxError):
    """A tunnel broke. Never raised here: there are no tunnels."""


class SandboxMetadataError(SandboxError):
    """The sandbox lacks something that was to be recorded with it."""


class SandboxClaimFailedError(SandboxError):
    """The sandbox cannot be made, now or later, without a change of what was asked for."""


class SandboxRequestError(SandboxError):
    """A request to a sandbox failed."""

    #: HTTP status of the answer; None when there was no answer.
    status_code: Optional[int]
    #: The answer, as far as it is known: an :class:`ErrorResponse`.
    response: Any

    def __init__(
        self, message: str, status_code: Optional[int] = None, response: Any = None
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.response = response


class SandboxApiError(SandboxError):
    """The daemon refused something about a claim; where the Kubernetes API would."""

    #: HTTP status, as 409.
    status: Optional[int]
    #: Words for the status.
    reason: str
    #: The refusal as JSON text.
    body: str
    #: Code of Sandport's error table, as ``name_taken``.
    code: str

    def __init__(
        self,
        message: str,
        status: Optional[int] = None,
        reason: str = "",
        body: str = "",
        code: str = "unknown",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.body = body
        self.code = code


@dataclass(frozen=True)
class ErrorResponse:
    """What a failed request was answered with."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        return reason_of(self.status_code)

    @property
    def ok(self) -> bool:
        return self.status_code < 400

    def json(self) -> Any:
        return json.loads(self.content)


def reason_of(status: Optional[int]) -> str:
    """Words for a status, as ``Not Found``; empty for an unknown one."""
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
