from __future__ import annotations

import json
import threading
import time
from typing import Any, Callable, Dict, Iterator, List

import pytest
from fake_commands import FakeCommand, events_of
from fake_daemon import FakeDaemon
from hypothesis import given
from hypothesis import strategies as st

import sandport
from sandport import (
    CommandFailedError,
    CommandInfo,
    CommandLostError,
    ConflictError,
    NotFoundError,
    SandportTimeoutError,
)
from sandport._wire.output_feed import OutputFeed


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandport._flow.FIRST_PAUSE_SECONDS", 0.01)


def only(daemon: FakeDaemon) -> FakeCommand:
    (command,) = daemon.commands.values()
    return command


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_starts_finds_and_forgets(daemon: FakeDaemon, sandbox: Any) -> None:
    command = sandbox.commands.run(
        ["cat", "-"],
        5,
        cwd="/tmp",
        env={"A": "b"},
        user="root",
        stdin=True,
        output_limit_bytes=65536,
        background=True,
    )
    assert daemon.last("POST").json() == {
        "args": ["cat", "-"],
        "cwd": "/tmp",
        "env": {"A": "b"},
        "user": "root",
        "timeout_seconds": 5,
        "stdin": True,
        "output_limit_bytes": 65536,
    }
    assert (command.pid, command.info.status, command.exit_code) == (42, "running", None)
    assert command.info.cmd == ["cat", "-"]
    assert command.info.woke == "disk"
    assert [each.id for each in sandbox.commands.list()] == [command.id]
    assert sandbox.commands.list(status="ended") == []
    command.send_stdin("one ")
    command.send_stdin([b"two ", bytearray(b"three\n")])
    assert command.output().data == b"one two three\n"
    assert command.output(since=4, limit=3).text == "two"
    assert command.output(since=4, limit=3).next_offset == 7
    command.close_stdin()
    result = command.wait()
    assert (result.stdout, result.exit_code, result.woke) == ("one two three\n", 0, "disk")
    assert result.duration_ms == 2000
    assert (command.exit_code, command.stdout) == (0, "one two three\n")
    assert sandbox.commands.get(command.id).info.status == "ended"
    with pytest.raises(ConflictError) as caught:
        command.send_stdin("late")
    assert caught.value.code == "command_ended"
    command.remove()
    command.remove()
    with pytest.raises(NotFoundError):
        command.refresh()


def test_the_block_leaves_the_command_alone(daemon: FakeDaemon, sandbox: Any) -> None:
    with sandbox.commands.run("cat", background=True, on_stdout=print) as command:
        pass
    assert only(daemon).running
    only(daemon).end()
    assert command.wait().ok


def test_misses_nothing_when_connections_break(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.breaks = [1, 100, 0, 333, 200]
    out: List[str] = []
    err: List[str] = []
    text = "ünïcödé " * 20
    command = sandbox.commands.run("x", background=True)
    only(daemon).write("stdout", text.encode() + b"\xff")
    only(daemon).write("stderr", b"problem")
    threading.Timer(0.05, lambda: only(daemon).end(3)).start()
    for piece in command:
        (out if piece.stream == "stdout" else err).append(piece.text)
    assert daemon.breaks == []
    assert "".join(out) == text + "\ufffd" == command.stdout
    assert "".join(err) == "problem" == command.stderr
    assert command.wait().exit_code == 3
    with pytest.raises(CommandFailedError, match="exited 3"):
        command.wait(check=True)


def test_callbacks_get_the_output_while_it_runs(daemon: FakeDaemon, sandbox: Any) -> None:
    seen: List[str] = []
    command = sandbox.commands.run("x", background=True, on_stdout=seen.append)
    only(daemon).write("stdout", b"first")
    until(lambda: command.refresh().pid == 42 and "".join(seen) == "first")
    with pytest.raises(SandportTimeoutError, match="still runs"):
        command.wait(0.05)
    with pytest.raises(RuntimeError, match="callbacks"):
        list(command)
    only(daemon).write("stdout", b" second")
    only(daemon).end()
    assert command.wait(20).stdout == "".join(seen) == "first second"


def test_an_error_of_a_callback_is_told(daemon: FakeDaemon, sandbox: Any) -> None:
    command = sandbox.commands.run("x", background=True, on_stdout=lambda _: 1 / 0)
    only(daemon).write("stdout", b"x")
    with pytest.raises(ZeroDivisionError):
        command.wait(20)
    only(daemon).end()
    assert command.wait(20).exit_code == 0


def test_waiting_has_an_end_and_goes_on(daemon: FakeDaemon, sandbox: Any) -> None:
    command = sandbox.commands.run("x", background=True)
    only(daemon).write("stdout", b"1")
    with pytest.raises(SandportTimeoutError):
        command.wait(0.1)
    only(daemon).write("stdout", b"2")
    only(daemon).end()
    assert command.wait().stdout == "12"


def test_disconnects_and_connects_again(daemon: FakeDaemon, sandbox: Any) -> None:
    command = sandbox.commands.run("x", background=True)
    only(daemon).write("stdout", b"abcdef")
    pieces = iter(command)
    assert next(pieces).data == b"abc"
    command.disconnect()
    assert list(pieces) == []
    assert command.offsets == (3, 0)
    only(daemon).gone["stdout"] = 5
    only(daemon).end()
    again = sandbox.commands.connect(command.id, since=command.offsets)
    assert [(piece.data, piece.offset, piece.missed_bytes) for piece in again] == [
        (b"", 5, 2),
        (b"f", 5, 0),
    ]
    assert again.wait().truncated
    assert command.wait().stdout == "abcf"
    with pytest.raises(NotFoundError) as caught:
        sandbox.commands.connect("nobody")
    assert caught.value.code == "command_not_found"


def test_a_lost_command_is_an_error(daemon: FakeDaemon, sandbox: Any) -> None:
    command = sandbox.commands.run("x", background=True)
    only(daemon).lose()
    with pytest.raises(CommandLostError) as caught:
        command.wait()
    assert (caught.value.code, command.info.status) == ("command_lost", "lost")


def test_input_that_is_read_while_the_command_runs(daemon: FakeDaemon, sandbox: Any) -> None:
    def lines() -> Iterator[bytes]:
        yield b"one\n"
        yield b"two\n"

    seen: List[str] = []
    result = sandbox.commands.run("cat", stdin=lines(), on_stdout=seen.append)
    assert result.stdout == "".join(seen) == "one\ntwo\n"
    assert daemon.commands == {}


def test_input_that_fails_ends_the_command(daemon: FakeDaemon, sandbox: Any) -> None:
    def broken() -> Iterator[bytes]:
        yield b"one\n"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sandbox.commands.run("cat", stdin=broken())
    assert daemon.commands == {}


def test_stdin_true_is_for_the_background(sandbox: Any) -> None:
    with pytest.raises(ValueError, match="background=True"):
        sandbox.commands.run("cat", stdin=True)


def test_signals_and_sizes(daemon: FakeDaemon, sandbox: Any) -> None:
    command = sandbox.commands.run("x", background=True)
    with pytest.raises(ConflictError) as caught:
        command.resize(10, 20)
    assert caught.value.code == "not_a_terminal"
    assert daemon.last("POST").json() == {"rows": 10, "cols": 20}
    command.kill("int")
    assert daemon.last("POST").json() == {"signal": "SIGINT"}
    assert command.wait().signal == "SIGINT"
    command.kill()


def test_terminals(daemon: FakeDaemon, sandbox: Any) -> None:
    seen: List[bytes] = []
    with sandbox.pty.create(30, 100, on_data=seen.append) as terminal:
        started = daemon.last("POST").json()
        assert started == {
            "cmd": 'exec "${SHELL:-/bin/sh}" -l',
            "env": {"TERM": "xterm-256color"},
            "tty": {"rows": 30, "cols": 100},
        }
        terminal.write("échö\n")
        # Asking lets the loop of the asynchronous client go on.
        until(lambda: terminal.refresh().pid == 42 and b"".join(seen) == "échö\n".encode())
        terminal.resize(5, 6)
        only(daemon).end(7)
        assert terminal.wait().exit_code == 7
        terminal.resize(7, 8)
        again = sandbox.pty.connect(terminal.id, since=1)
        assert b"".join(again) == "échö\n".encode()[1:]
        assert again.offset == terminal.offset == 7
        assert list(sandbox.pty.connect(terminal.id)) == []
        terminal.remove()
    assert daemon.commands == {}


class Server:
    """What a daemon sends of a command that has written this, one connection after the other."""

    def __init__(self, output: Dict[str, bytes], gone: Dict[str, int]) -> None:
        self.command = FakeCommand(INFO.copy(), output, gone)
        self.command.end(0)

    def answer(self, target: str) -> bytes:
        query = dict(pair.split("=") for pair in target.split("?")[1].split("&"))
        since = {stream: int(query[f"{stream}_since"]) for stream in ("stdout", "stderr")}
        exit_event = f"event: exit\ndata: {json.dumps(self.command.info)}\n\n"
        return "".join([*events_of(self.command, since), exit_event]).encode()


INFO: Dict[str, Any] = {
    "id": "c",
    "cmd": "x",
    "status": "running",
    "started_at": "2026-01-01T00:00:00Z",
}


@given(
    stdout=st.binary(max_size=40),
    stderr=st.binary(max_size=40),
    gone=st.integers(0, 40),
    cuts=st.lists(st.integers(0, 400), max_size=5),
)
def test_each_byte_comes_once(stdout: bytes, stderr: bytes, gone: int, cuts: List[int]) -> None:
    gone = min(gone, len(stdout))
    server = Server({"stdout": stdout, "stderr": stderr}, {"stdout": gone, "stderr": 0})
    feed = OutputFeed("s", CommandInfo.from_wire(INFO))
    found: Dict[str, bytes] = {"stdout": b"", "stderr": b""}
    missed = 0
    for cut in [*cuts, None]:
        raw = server.answer(feed.request().target)[:cut]
        for piece in feed.feed(raw):
            assert piece.offset == missed * (piece.stream == "stdout") + piece.missed_bytes + len(
                found[piece.stream]
            )
            found[piece.stream] += piece.data
            missed += piece.missed_bytes
        if feed.ended:
            break
    assert (found["stdout"], found["stderr"], missed) == (stdout[gone:], stderr, gone)
    result = feed.result()
    assert result.stdout == stdout[gone:].decode("utf-8", "replace")
    assert result.stderr == stderr.decode("utf-8", "replace")
    assert result.truncated == (gone > 0)


def test_types_of_results_follow_the_call(daemon: FakeDaemon) -> None:
    """Checked by mypy as well."""
    with sandport.Sandbox.create() as sandbox:
        handle: sandport.CommandHandle = sandbox.commands.run("x", background=True)
        result: sandport.ExecResult = sandbox.commands.run("x")
        assert handle.pid == 42
        assert result.ok
