"""What comes back from code, and what is sent for networks."""

from __future__ import annotations

import json
from typing import Any, List

import pytest
from fake_daemon import FakeDaemon

from sandport import BadRequestError, CodeResult, NetworkError, SandboxInfo
from sandport._wire import code
from sandport._wire.code import StreamedCode
from sandport._wire.network import network_body
from sandport._wire.sse import Event
from sandport.network_models import Network


def event(kind: str, /, **data: Any) -> Event:
    return Event(kind, json.dumps(data))


def test_events_become_an_execution() -> None:
    seen: List[str] = []
    streamed = StreamedCode(seen.append, on_error=lambda error: seen.append(error.name))
    streamed.handle(event("stdout", chunk="a"))
    streamed.handle(event("stdout", chunk="\ufffd", chunk_base64="w6Q="))
    streamed.handle(event("stderr", chunk="problem"))
    streamed.handle(event("result", **{"text/plain": "21"}))
    streamed.handle(event("error", name="ValueError", value="no", traceback=["line"]))
    streamed.handle(
        event(
            "end",
            exit=1,
            error="ValueError: no",
            error_details={"name": "ValueError", "value": "no", "traceback": ["line"]},
            execution_count=2,
            timed_out=True,
            duration_ms=1.5,
        )
    )
    run = streamed.execution()
    assert (run.stdout, run.stderr, run.text, run.exit_code) == ("aä", "problem", "21", 1)
    assert run.error is not None
    assert (run.error.name, run.error.traceback) == ("ValueError", ["line"])
    assert (run.ok, run.timed_out, run.execution_count, run.duration_ms) == (False, True, 2, 1.5)
    assert seen == ["a", "ä", "ValueError"]


def test_a_run_that_fails_or_breaks_off_is_an_error() -> None:
    streamed = StreamedCode()
    with pytest.raises(NetworkError, match="interrupted"):
        streamed.execution()
    with pytest.raises(BadRequestError) as caught:
        streamed.handle(event("failure", error="No.", code="language_unavailable", missing="node"))
    assert caught.value.details == {"missing": "node"}


def test_forms_of_a_result() -> None:
    result = CodeResult({"image/png": "iVBORw0K\n", "application/json": "[1]", "text/html": "<b>"})
    assert (result.png, result.json, result.html) == (b"\x89PNG\r\n", [1], "<b>")
    assert (result.text, result.jpeg, result.svg, result.markdown) == (None, None, None, None)
    hostile = CodeResult({"image/png": "not base64!", "application/json": "{"})
    assert (hostile.png, hostile.json) == (None, None)


def test_what_is_asked_for() -> None:
    request = code.run("s", None, "x", "python", 0.0001)
    assert request.target == "/v1/sandboxes/s/repl/stream"
    assert json.loads(request.content) == {"code": "x", "language": "python", "timeout_ms": 1}
    request = code.run("s", "c/..", "x", None, None)
    assert request.target == "/v1/sandboxes/s/repl/sessions/c%2F../run/stream"
    assert json.loads(request.content) == {"code": "x"}


def test_networks(daemon: FakeDaemon, api: Any) -> None:
    assert network_body(Network()) == {"egress": "none"}
    assert network_body(None) is None
    with api.Sandbox.create(network=Network("allowlist", ["a.com"], 2.5)) as sandbox:
        wanted = {"egress": "allowlist", "allow": ["a.com"], "bandwidth_mbps": 2.5}
        assert daemon.last("POST").json() == {"network": wanted}
        # A daemon that knows no networks says nothing of them.
        assert sandbox.network == Network("none")
    told = {"id": "s", "network": {"egress": "all", "allow": ["10.0.0.0/8"], "pending": True}}
    assert SandboxInfo.from_wire(told).network == Network("all", ("10.0.0.0/8",), pending=True)
