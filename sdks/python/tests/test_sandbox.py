from __future__ import annotations

import os
from typing import Any

import pytest
from fake_daemon import FakeDaemon

from sandport import (
    AuthError,
    CommandFailedError,
    ConnectionConfig,
    NetworkError,
    NotFoundError,
    Sandbox,
    SandboxClient,
    SandportError,
    SandportTimeoutError,
    ServerError,
    VolumeMount,
)
from sandport._sync.transport import Transport


def test_create_sends_what_is_given_and_nothing_else(daemon: FakeDaemon, api: Any) -> None:
    with api.Sandbox.create():
        assert daemon.last("POST").json() == {}
    with api.Sandbox.create(
        template="code-interpreter",
        volumes=[
            {"name": "a", "read_only": True},
            {"name": "b", "readOnly": False},
            {"name": "c"},
            VolumeMount("d", read_only=True),
        ],
        namespace="team",
        name="box",
        metadata={"k": "v"},
        env={"A": "1"},
        ttl_seconds=0,
        resources={"cpu": 0.5},
        user="root",
        workdir="/tmp",
        isolation="gvisor",
    ) as sandbox:
        assert daemon.last("POST").json() == {
            "template": "code-interpreter",
            "volumes": [
                {"name": "a", "read_only": True},
                {"name": "b", "read_only": False},
                {"name": "c"},
                {"name": "d", "read_only": True},
            ],
            "namespace": "team",
            "name": "box",
            "metadata": {"k": "v"},
            "env": {"A": "1"},
            "ttl_seconds": 0,
            "resources": {"cpu": 0.5},
            "user": "root",
            "workdir": "/tmp",
            "isolation": "gvisor",
        }
        assert sandbox.template == "code-interpreter"
        assert sandbox.name == "box"
        assert sandbox.status == "running"
        assert sandbox.info.volumes[3] == VolumeMount("d", read_only=True)
        assert sandbox.info.boot_ms == 12.5


def test_the_block_deletes_the_sandbox(daemon: FakeDaemon, api: Any) -> None:
    with pytest.raises(ZeroDivisionError), api.Sandbox.create():
        raise ZeroDivisionError
    assert daemon.sandboxes == {}


def test_killing_twice_is_no_error(daemon: FakeDaemon, api: Any) -> None:
    sandbox = api.Sandbox.create()
    sandbox.kill()
    sandbox.terminate()


def test_get_connect_list_refresh(daemon: FakeDaemon, api: Any) -> None:
    made = [Sandbox.create(metadata={"n": str(n % 2)}) for n in range(5)]
    got = api.Sandbox.get(made[0].id)
    assert got.id == made[0].id
    daemon.sandboxes[got.id]["status"] = "paused"
    assert got.refresh().status == "paused"
    assert got.status == "paused"
    assert api.Sandbox.connect(made[0].id).status == "paused"
    assert [item.id for item in api.Sandbox.list()] == [item.id for item in made]
    even = api.Sandbox.list(metadata={"n": "0"}, status="running", namespace="default")
    assert [item.id for item in even] == [made[0].id, made[2].id, made[4].id]
    with pytest.raises(NotFoundError):
        api.Sandbox.get("nobody")
    for item in api.Sandbox.list():
        item.kill()
    assert daemon.sandboxes == {}


def test_runs_commands(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.result = {"stdout": "out", "stderr": "err", "exit_code": 3, "duration_ms": 4}
    result = sandbox.commands.run("echo *", cwd="/", env={"A": "b"}, user="root", timeout=5)
    assert (result.stdout, result.stderr, result.exit_code) == ("out", "err", 3)
    assert (result.signal, result.timed_out, result.truncated, result.ok) == (
        None,
        False,
        False,
        False,
    )
    assert daemon.last("POST").json() == {
        "cmd": "echo *",
        "cwd": "/",
        "env": {"A": "b"},
        "user": "root",
        "timeout_seconds": 5,
    }
    sandbox.exec(["printf", "%s", "a b"], stdin="text")
    assert daemon.last("POST").json() == {"args": ["printf", "%s", "a b"], "stdin": "text"}
    sandbox.exec("cat", 7, stdin=b"\xff")
    assert daemon.last("POST").json() == {
        "cmd": "cat",
        "timeout_seconds": 7,
        "stdin_base64": "/w==",
    }
    with pytest.raises(CommandFailedError, match="exited 3: echo") as caught:
        sandbox.commands.run("echo", check=True)
    assert caught.value.result.stdout == "out"


def test_streams_commands(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.events = [
        ("stdout", {"chunk": "a\ufffd", "chunk_base64": "YcM="}),
        ("stderr", {"chunk": "warn\n"}),
        ("stdout", {"chunk": "\ufffdb", "chunk_base64": "qWI="}),
        ("exit", {"exit_code": 0, "duration_ms": 2, "timed_out": True}),
    ]
    out: list[str] = []
    err: list[str] = []
    result = sandbox.commands.run("x", on_stdout=out.append, on_stderr=err.append)
    assert result.stdout == "aéb"
    assert "".join(out) == "aéb"
    assert result.stderr == "".join(err) == "warn\n"
    assert result.timed_out
    assert sandbox.exec_stream("x", timeout_seconds=3) == 0
    assert daemon.last("POST").json() == {"cmd": "x", "timeout_seconds": 3}


def test_a_stream_without_an_end_is_an_error(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.events = [("stdout", {"chunk": "a"})]
    with pytest.raises(NetworkError, match="ended before the command"):
        sandbox.exec_stream("x")
    daemon.events = [("error", {"error": "Gone.", "code": "sandbox_unresponsive"})]
    with pytest.raises(SandportError) as caught:
        sandbox.exec_stream("x")
    assert caught.value.code == "sandbox_unresponsive"
    assert caught.value.retryable


def test_an_error_of_a_callback_passes_through(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.events = [("stdout", {"chunk": "a"})]

    def fail(_: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sandbox.exec_stream("x", fail)


def test_killing_survives_dropped_connections(daemon: FakeDaemon, api: Any) -> None:
    sandbox = api.Sandbox.create()
    daemon.instead[:] = [b"", b""]
    sandbox.kill()
    assert daemon.sandboxes == {}


def test_commands_and_creates_are_never_sent_twice(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.seen.clear()
    daemon.instead[:] = [b"", b""]
    with pytest.raises(NetworkError):
        sandbox.exec("x")
    with pytest.raises(NetworkError):
        Sandbox.create()
    assert [seen.segments[-1] for seen in daemon.seen] == ["exec", "sandboxes"]


def test_a_wrong_key(daemon: FakeDaemon, api: Any) -> None:
    with pytest.raises(AuthError) as caught:
        api.Sandbox.create(api_key="wrong")
    assert caught.value.code == "unauthorized"
    assert caught.value.advice is not None


def test_no_daemon_says_how_to_start_one(api: Any, daemon: FakeDaemon) -> None:
    with pytest.raises(NetworkError, match="sandport serve"):
        api.Sandbox.create(url="http://127.0.0.1:9", api_key="x")


def test_silence_ends_after_the_idle_timeout(daemon: FakeDaemon) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        config = ConnectionConfig(f"http://127.0.0.1:{port}", "x", idle_timeout=0.2)
        client = SandboxClient(config)
        with pytest.raises(SandportTimeoutError):
            client.list_all_sandboxes()


@pytest.mark.parametrize("end", ["reset", "silence"])
def test_an_upload_that_the_daemon_stops_reading(daemon: FakeDaemon, end: str) -> None:
    """Neither hangs nor lets an error of the HTTP library through."""
    import socket
    import struct
    import threading

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                if end == "silence":
                    done.wait(10)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve)
        thread.start()
        info = Sandbox.create().info
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        idle_timeout = 0.3 if end == "silence" else 30
        transport = Transport(ConnectionConfig(url, "x", idle_timeout=idle_timeout).resolve())
        try:
            with pytest.raises(SandportTimeoutError if end == "silence" else NetworkError):
                Sandbox(transport, info).filesystem.write(
                    "/f", (bytes(1024 * 1024) for _ in range(64))
                )
        finally:
            done.set()
            thread.join()
            transport.close()


def test_a_forked_child_has_connections_of_its_own(daemon: FakeDaemon) -> None:
    sandbox = Sandbox.create()
    sandbox.filesystem.write("/f", b"abc")
    child = os.fork()
    if child == 0:
        try:
            ok = Sandbox.get(sandbox.id).filesystem.read("/f") == b"abc"
            os._exit(0 if ok else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sandbox.filesystem.read("/f") == b"abc"


def test_the_client_of_agent_sandbox(daemon: FakeDaemon, api: Any) -> None:
    client = api.SandboxClient()
    box = client.create_sandbox(
        template="python-sandbox-template",
        namespace="default",
        labels={"team": "a"},
        shutdown_after_seconds=60,
    )
    assert daemon.last("POST").json() == {
        "template": "python-sandbox-template",
        "namespace": "default",
        "metadata": {"team": "a"},
        "ttl_seconds": 60,
    }
    box.files.write("data/a.csv", "a,b\n")
    assert daemon.files == {"/home/user/data/a.csv": b"a,b\n"}
    assert box.files.read("/home/user/data/a.csv") == b"a,b\n"
    daemon.links["/home/user/data/link"] = "/home/user/data/a.csv"
    daemon.links["/home/user/data/broken"] = "/nowhere"
    entries = box.files.list("data")
    assert [(e.name, e.size, e.type, e.mod_time) for e in entries] == [
        ("a.csv", 4, "file", 1767225600.25),
        ("broken", 8, "symlink", 1767225600.25),
        ("link", 4, "file", 1767225600.25),
    ]
    assert [e.name for e in box.files.list()] == ["data"]
    assert box.files.exists("data/a.csv")
    box.files.delete("data/a.csv")
    assert not box.files.exists("data/a.csv")
    box.commands.run("true")
    assert daemon.last("POST").json() == {"cmd": "true", "timeout_seconds": 60}
    box.commands.run("true", timeout=5)
    assert daemon.last("POST").json()["timeout_seconds"] == 5
    assert client.list_active_sandboxes() == [("default", box.claim_name)]
    assert client.list_all_sandboxes(label_selector="team=a") == [box.claim_name]
    assert client.list_all_sandboxes(label_selector="team==b") == []
    with pytest.raises(ValueError, match="KEY=VALUE"):
        client.list_all_sandboxes(label_selector="team!=b")
    with pytest.raises(NotFoundError, match="namespace 'other'"):
        client.get_sandbox(box.claim_name, "other")
    client.delete_sandbox(box.claim_name, "other")
    other = client.get_sandbox(box.claim_name)
    assert other.sandbox_id == box.sandbox_id
    box.terminate()
    assert client.list_active_sandboxes() == []
    client.delete_sandbox(box.claim_name)
    client.create_sandbox()
    second = client.create_sandbox()
    client.delete_sandbox(second.claim_name)
    assert len(daemon.sandboxes) == 1
    with client:
        pass
    assert daemon.sandboxes == {}


def test_delete_all_tries_all_of_them(daemon: FakeDaemon, api: Any) -> None:
    client = api.SandboxClient()
    for _ in range(3):
        client.create_sandbox()
    daemon.instead.append(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(ServerError):
        client.delete_all()
    assert len(daemon.sandboxes) == 1
    client.delete_all()
    assert daemon.sandboxes == {}
