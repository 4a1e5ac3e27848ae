"""What becomes of requests about files that go wrong, and of names of any kind."""

from __future__ import annotations

from typing import Any

import pytest
from fake_daemon import FakeDaemon
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandport import (
    BadRequestError,
    NetworkError,
    NotFoundError,
    Sandbox,
    UnavailableError,
)


def test_a_missing_sandbox_is_not_a_missing_file(daemon: FakeDaemon, sandbox: Any) -> None:
    sandbox.kill()
    with pytest.raises(NotFoundError) as caught:
        sandbox.filesystem.exists("/f")
    assert caught.value.code == "sandbox_not_found"


def test_an_answer_of_a_proxy_is_an_error_too(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.instead.append(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nOops")
    with pytest.raises(UnavailableError) as caught:
        sandbox.filesystem.stat("/f")
    assert caught.value.retryable
    daemon.instead.append(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOops")
    with pytest.raises(NetworkError, match="not JSON"):
        sandbox.filesystem.stat("/f")


def test_reads_again_when_the_connection_was_dropped(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.files["/f"] = b"abc"
    daemon.instead[:] = [b"", b""]
    assert sandbox.filesystem.read("/f") == b"abc"
    daemon.instead[:] = [b"", b"", b""]
    with pytest.raises(NetworkError):
        sandbox.filesystem.read("/f")


def test_refuses_a_path_that_is_not_unicode(sandbox: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        sandbox.filesystem.read("/\udcff")
    assert caught.value.code == "invalid_path"
    with pytest.raises(TypeError):
        sandbox.filesystem.read(b"/f")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), data=st.binary())
def test_any_path_and_any_bytes_arrive(daemon: FakeDaemon, name: str, data: bytes) -> None:
    sandbox = Sandbox.create()
    daemon.files.clear()
    sandbox.filesystem.write(f"/{name}", data)
    assert daemon.files == {f"/{name}": data}
    assert sandbox.filesystem.read(f"/{name}") == data
