"""The root of all errors that this package raises itself."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional


class SandportError(Exception):
    """A request that did not succeed. ``str(error)`` is one sentence for people."""

    #: Code of the error table, as ``file_not_found``; stable, for programs.
    code: str
    #: HTTP status of the answer; None when there was no answer.
    status_code: Optional[int]
    #: Path in the sandbox that the error is about, if there is one.
    path: Optional[str]
    #: Everything else that the answer carried.
    details: Dict[str, Any]
    #: Id of the request in the daemon's log.
    request_id: Optional[str]
    #: True when the same request may succeed later without a change.
    retryable: bool
    #: What to do about it, one sentence; None when there is no advice.
    advice: Optional[str]

    def __init__(
        self,
        message: str,
        *,
        code: str = "unknown",
        status_code: Optional[int] = None,
        details: Optional[Mapping[str, Any]] = None,
        request_id: Optional[str] = None,
        retryable: bool = False,
        advice: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status_code = status_code
        self.details = dict(details or {})
        path = self.details.get("path")
        self.path = path if isinstance(path, str) else None
        self.request_id = request_id
        self.retryable = retryable
        self.advice = advice

    @property
    def message(self) -> str:
        """The sentence."""
        return str(self.args[0])

    def __reduce__(self) -> Any:
        # The default would call the class with `args` alone and lose the keyword arguments.
        return (_restore, (type(self), self.args, self.__dict__))


def _restore(cls: type[SandportError], args: Any, state: Dict[str, Any]) -> SandportError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error
