"""Requests that run code, and what comes back from them."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional

from ..code_models import CodeContextInfo, CodeError, CodeExecution, CodeResult
from ..errors import NetworkError
from .call import Answer, Call, Request, empty_request, given, ignore, json_request, target
from .events import data_of, failure
from .output_text import OutputCallback, OutputText, chunk_of
from .sse import Event

#: Called with each result as it comes.
ResultCallback = Callable[[CodeResult], None]

#: Called with the error that ends the code.
ErrorCallback = Callable[[CodeError], None]


def run(
    sandbox: str,
    context: Optional[str],
    code: str,
    language: Optional[str],
    timeout: Optional[float],
) -> Request:
    """:param context: None: the default one of the language."""
    segments = ["repl"] if context is None else ["repl", "sessions", context, "run"]
    timeout_ms = None if timeout is None else max(1, round(timeout * 1000))
    body = given(code=code, language=language, timeout_ms=timeout_ms)
    return json_request("POST", target("sandboxes", sandbox, *segments, "stream"), body, "forever")


def create(
    sandbox: str,
    language: Optional[str],
    cwd: Optional[str],
    env: Optional[Mapping[str, str]],
    user: Optional[str],
) -> Call[CodeContextInfo]:
    variables = None if env is None else dict(env)
    body = given(language=language, cwd=cwd, env=variables, user=user)
    return Call(json_request("POST", _target(sandbox), body, "forever"), _info)


def list_all(sandbox: str) -> Call[List[CodeContextInfo]]:
    request = Request("GET", _target(sandbox))
    return Call(request, lambda answer: [CodeContextInfo.from_wire(each) for each in answer.json()])


def get(sandbox: str, context: str) -> Call[CodeContextInfo]:
    return Call(Request("GET", _target(sandbox, context)), _info)


def interrupt(sandbox: str, context: str) -> Call[None]:
    return Call(Request("POST", _target(sandbox, context, "interrupt")), ignore)


def restart(sandbox: str, context: str) -> Call[CodeContextInfo]:
    return Call(empty_request("POST", _target(sandbox, context, "restart")), _info)


def delete(sandbox: str, context: str) -> Call[None]:
    return Call(empty_request("DELETE", _target(sandbox, context)), ignore)


def _target(sandbox: str, *segments: str) -> str:
    return target("sandboxes", sandbox, "repl", "sessions", *segments)


def _info(answer: Answer) -> CodeContextInfo:
    return CodeContextInfo.from_wire(answer.json_object())


class StreamedCode:
    """Turns the events of one run into calls of the callbacks and, at the end, what it came to."""

    def __init__(
        self,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        on_result: Optional[ResultCallback] = None,
        on_error: Optional[ErrorCallback] = None,
    ) -> None:
        self._output: Dict[str, OutputText] = {
            "stdout": OutputText(on_stdout),
            "stderr": OutputText(on_stderr),
        }
        self._on_result = on_result
        self._on_error = on_error
        self._results: List[CodeResult] = []
        self._end: Optional[Mapping[str, Any]] = None

    def handle(self, event: Event) -> None:
        """:raises SandportError: why the code could not be run."""
        if event.name in self._output:
            self._output[event.name].feed(chunk_of(data_of(event.data)))
        elif event.name == "result":
            forms = {mime: str(form) for mime, form in data_of(event.data).items()}
            result = CodeResult(forms)
            self._results.append(result)
            if self._on_result is not None:
                self._on_result(result)
        elif event.name == "error":
            if self._on_error is not None:
                self._on_error(CodeError.from_wire(data_of(event.data)))
        elif event.name == "failure":
            raise failure(event.data)
        elif event.name == "end":
            self._end = data_of(event.data)
            for output in self._output.values():
                output.finish()

    @property
    def ended(self) -> bool:
        return self._end is not None

    def execution(self) -> CodeExecution:
        """:raises NetworkError: when the events ended before the code did."""
        if self._end is None:
            raise NetworkError(
                "The connection ended before the code did; the code was interrupted.",
                code="network_error",
            )
        stdout, stderr = self._output["stdout"].kept, self._output["stderr"].kept
        return CodeExecution.from_wire(self._end, stdout, stderr, self._results)
