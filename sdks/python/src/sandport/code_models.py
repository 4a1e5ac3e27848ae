"""What code gives that is run with ``run_code``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional

from ._values import base64_bytes


@dataclass(frozen=True)
class CodeError:
    """The error that ended code."""

    #: As ``ZeroDivisionError``.
    name: str
    #: Its message.
    value: str
    #: Lines; those of Python have colours for terminals.
    traceback: List[str] = field(default_factory=list)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> CodeError:
        return cls(
            name=str(data.get("name", "")),
            value=str(data.get("value", "")),
            traceback=[str(line) for line in data.get("traceback") or []],
        )


@dataclass(frozen=True)
class CodeResult:
    """A value that code gave, in several forms."""

    #: MIME type to text; binary ones in base64, JSON as JSON text.
    data: Mapping[str, str]

    @property
    def text(self) -> Optional[str]:
        return self.data.get("text/plain")

    @property
    def html(self) -> Optional[str]:
        return self.data.get("text/html")

    @property
    def markdown(self) -> Optional[str]:
        return self.data.get("text/markdown")

    @property
    def svg(self) -> Optional[str]:
        return self.data.get("image/svg+xml")

    @property
    def png(self) -> Optional[bytes]:
        return self._bytes("image/png")

    @property
    def jpeg(self) -> Optional[bytes]:
        return self._bytes("image/jpeg")

    @property
    def json(self) -> Any:
        """The value; of a data frame ``columns``, ``index``, ``data`` and ``shape``. None when
        there is none."""
        try:
            return json.loads(self.data.get("application/json", "null"))
        except ValueError:  # What a sandbox calls JSON may be none.
            return None

    def _bytes(self, mime: str) -> Optional[bytes]:
        text = self.data.get(mime)
        return None if text is None else base64_bytes(text.replace("\n", ""))


@dataclass(frozen=True)
class CodeExecution:
    """What a run of code came to. Code that ends with an error is no error of the call: see
    ``error``."""

    stdout: str
    stderr: str
    #: What it displayed, and last the value of its last expression.
    results: List[CodeResult]
    #: The error that ended the code; None when there was none.
    error: Optional[CodeError] = None
    #: 0; 1 after an error; for shell the exit status of the last command.
    exit_code: int = 0
    #: How many runs the kernel has had.
    execution_count: Optional[int] = None
    #: True: it was ended by its time limit.
    timed_out: bool = False
    #: True: the variables of earlier runs were lost before this one.
    restarted: bool = False
    #: True: output or results were left out, beyond 10 MiB.
    truncated: bool = False
    duration_ms: float = 0.0

    @property
    def ok(self) -> bool:
        """True when it ended without an error."""
        return self.error is None and self.exit_code == 0

    @property
    def text(self) -> Optional[str]:
        """Of the last result, as text."""
        return self.results[-1].text if self.results else None

    @classmethod
    def from_wire(
        cls, data: Mapping[str, Any], stdout: str, stderr: str, results: List[CodeResult]
    ) -> CodeExecution:
        details = data.get("error_details")
        return cls(
            stdout=stdout,
            stderr=stderr,
            results=results,
            error=None if details is None else CodeError.from_wire(details),
            exit_code=int(data["exit"]),
            execution_count=data.get("execution_count"),
            timed_out=bool(data.get("timed_out", False)),
            restarted=bool(data.get("restarted", False)),
            truncated=bool(data.get("truncated", False)),
            duration_ms=float(data.get("duration_ms", 0)),
        )


@dataclass(frozen=True)
class CodeContextInfo:
    """A code context as the daemon described it."""

    id: str
    sandbox_id: str
    #: ``python``, ``javascript`` or ``shell``.
    language: str
    #: ``idle``, ``busy``, or ``ended``: its variables are lost, and the next run begins anew.
    status: str
    cwd: Optional[str] = None
    #: True: it serves ``run_code`` of the sandbox.
    is_default: bool = False
    created_at: str = ""

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> CodeContextInfo:
        return cls(
            id=str(data["id"]),
            sandbox_id=str(data["sandbox_id"]),
            language=str(data["language"]),
            status=str(data["status"]),
            cwd=data.get("cwd"),
            is_default=bool(data.get("is_default", False)),
            created_at=str(data.get("created_at", "")),
        )
