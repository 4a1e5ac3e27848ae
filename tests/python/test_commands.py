"""Commands in the background, and terminals, against a real daemon."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import sys
import threading
import time
from typing import Iterator, List

import pytest
from cutting_proxy import CuttingProxy
from running_daemon import RunningDaemon

import sandport
from sandport import AsyncSandbox, CommandHandle, Sandbox

MIB = 1024 * 1024
#: Seconds in which something must have come true.
SOON = 20.0


@pytest.fixture(scope="module")
def shared(daemon: RunningDaemon) -> Iterator[Sandbox]:
    """One sandbox for all tests of an isolation."""
    with Sandbox.create(workdir="/workspace", url=daemon.url, api_key=daemon.api_key) as made:
        yield made


@pytest.fixture
def box(daemon: RunningDaemon, shared: Sandbox) -> Iterator[Sandbox]:
    yield shared
    for command in shared.commands.list():
        command.remove()


def read_until(command: CommandHandle, text: str) -> None:
    """Reads its output until it has written this."""
    while text not in command.stdout:
        assert next(iter(command), None) is not None, command.stdout


def test_a_command_that_is_talked_to(box: Sandbox) -> None:
    command = box.commands.run(
        'echo "$A in $PWD"; while read -r line; do echo "got $line" >&2; done; exit 3',
        cwd="/tmp",
        env={"A": "here"},
        stdin=True,
        background=True,
    )
    assert (command.info.status, command.info.cwd, command.info.stdin) == ("running", "/tmp", True)
    assert [each.id for each in box.commands.list(status="running")] == [command.id]
    assert box.exec(["kill", "-0", str(command.pid)]).ok
    read_until(command, "here in /tmp\n")
    command.send_stdin("one\n")
    command.send_stdin([b"tw", b"o\n"])
    command.send_stdin(io.BytesIO(b"three\n"), eof=True)
    result = command.wait(SOON)
    assert (result.exit_code, result.stdout) == (3, "here in /tmp\n")
    assert result.stderr == "got one\ngot two\ngot three\n"
    assert command.output("stderr", since=4, limit=3).data == b"one"
    assert box.commands.get(command.id).exit_code == 3
    with pytest.raises(sandport.ConflictError) as caught:
        command.send_stdin("late")
    assert caught.value.code == "command_ended"
    command.kill()
    command.remove()
    assert command.wait().exit_code == 3
    with pytest.raises(sandport.NotFoundError) as gone:
        command.refresh()
    assert gone.value.code == "command_not_found"


def test_waiting_ends_the_command_goes_on(box: Sandbox) -> None:
    command = box.commands.run("cat", stdin=True, background=True)
    with pytest.raises(sandport.SandportTimeoutError, match="still runs"):
        command.wait(0.05)
    command.kill("TERM")
    result = command.wait(SOON)
    assert (result.signal, result.exit_code) == ("SIGTERM", 143)


def test_ends_what_takes_too_long(box: Sandbox) -> None:
    result = box.commands.run("sleep 600", 0.1, background=True).wait(SOON)
    assert result.timed_out


def test_output_is_exact(box: Sandbox) -> None:
    """Bytes of every value, more than is held at once, from a command without a reader at first."""
    data = bytes(range(256)) + b"a line of text\n" * (4 * MIB // 15)
    box.files.write("/workspace/data", data)
    command = box.commands.run("cat data data data data data", background=True)
    digest = hashlib.sha256()
    count = 0
    for piece in command:
        assert (piece.offset, piece.missed_bytes) == (count, 0)
        digest.update(piece.data)
        count += len(piece.data)
    assert count == 5 * len(data)
    assert digest.digest() == hashlib.sha256(data * 5).digest()
    result = command.wait()
    assert result.truncated
    assert len(result.stdout) == 10 * MIB


def test_misses_nothing_when_connections_break(daemon: RunningDaemon, box: Sandbox) -> None:
    with CuttingProxy(daemon.url) as proxy:
        there = Sandbox.get(box.id, url=proxy.url, api_key=daemon.api_key)
        command = there.commands.run("seq 1 100000", background=True)
        proxy.cut_after = [100, 50_000, 1000, 200_000]
        text = "".join(piece.text for piece in command)
        assert proxy.cut_after == []
        assert text.split() == [str(number) for number in range(1, 100_001)]


def test_what_was_not_kept_is_told(box: Sandbox) -> None:
    command = box.commands.run(
        f"head -c {4 * MIB} /dev/zero; echo end >&2", output_limit_bytes=65536, background=True
    )
    deadline = time.monotonic() + SOON
    while command.refresh().status == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert command.info.stdout_bytes == 4 * MIB
    pieces = [piece for piece in command if piece.stream == "stdout"]
    missed = sum(piece.missed_bytes for piece in pieces)
    assert missed == command.info.stdout_start > 0
    assert missed + sum(len(piece.data) for piece in pieces) == 4 * MIB
    assert command.wait().truncated


SECOND_PROGRAM = """
import sys
from sandport import Sandbox
box = Sandbox.get(sys.argv[1])
command = box.commands.run("seq 1 5; read x; seq 6 9; echo $x", stdin=True, background=True)
for piece in command:
    if "5\\n" in command.stdout:
        print(command.id, *command.offsets, flush=True)
        import os
        os.kill(os.getpid(), 9)
"""


def test_another_program_goes_on_after_a_crash(daemon: RunningDaemon, box: Sandbox) -> None:
    crashed = subprocess.run(
        [sys.executable, "-c", SECOND_PROGRAM, box.id],
        env=daemon.environment(),
        stdout=subprocess.PIPE,
        timeout=60,
    )
    assert crashed.returncode == -9
    command_id, *offsets = crashed.stdout.split()
    command = box.commands.connect(command_id.decode(), since=(int(offsets[0]), int(offsets[1])))
    command.send_stdin("bye\n")
    assert command.wait(SOON).stdout == "6\n7\n8\n9\nbye\n"


def test_callbacks_are_called_while_it_runs(box: Sandbox) -> None:
    first = threading.Event()
    seen: List[str] = []

    def on_stdout(text: str) -> None:
        seen.append(text)
        first.set()

    command = box.commands.run(
        "echo first; read x; echo $x", stdin=True, background=True, on_stdout=on_stdout
    )
    assert first.wait(SOON)
    command.send_stdin("second\n")
    assert command.wait(SOON).ok
    assert "".join(seen) == "first\nsecond\n"


def test_input_of_a_command_in_the_foreground(box: Sandbox) -> None:
    lines = (b"%d\n" % number for number in range(50_000))
    result = box.commands.run("sha256sum", stdin=io.BytesIO(b"".join(lines)), check=True)
    expected = hashlib.sha256(b"".join(b"%d\n" % number for number in range(50_000)))
    assert result.stdout.split()[0] == expected.hexdigest()
    assert box.commands.run("head -c 3", stdin=(b"abc" for _ in range(3))).stdout == "abc"
    assert box.commands.list() == []


def test_a_terminal(box: Sandbox) -> None:
    seen: List[bytes] = []
    changed = threading.Condition()

    def on_data(data: bytes) -> None:
        with changed:
            seen.append(data)
            changed.notify_all()

    def until(text: bytes) -> None:
        with changed:
            assert changed.wait_for(lambda: text in b"".join(seen), SOON), seen

    terminal = box.pty.create(30, 100, cmd="stty size; exec sh", on_data=on_data)
    until(b"30 100")
    terminal.resize(40, 120)
    terminal.write("stty size; echo $TERM\n")
    until(b"40 120")
    until(b"xterm-256color\r\n")
    terminal.write("head -n 1\n")
    terminal.write("typed\n")
    until(b"typed\r\ntyped")
    terminal.write("exit 5\n")
    assert terminal.wait(SOON).exit_code == 5
    again = b"".join(box.pty.connect(terminal.id, since=0))
    assert again == b"".join(seen)
    with pytest.raises(sandport.BadRequestError):
        box.pty.create(0, 80)
    with pytest.raises(sandport.BadRequestError):
        box.pty.create(24, 1_000_000)


def test_keys_that_interrupt(box: Sandbox) -> None:
    terminal = box.pty.create(cmd="echo ready; exec sleep 600")
    assert next(iter(terminal)) == b"ready\r\n"
    terminal.write("\x03")
    assert terminal.wait(SOON).signal == "SIGINT"


def test_the_login_shell(box: Sandbox) -> None:
    with box.pty.create() as terminal:
        terminal.write("exit\n")
        assert terminal.wait(SOON).exit_code == 0


def test_wrong_ids_and_signals(box: Sandbox) -> None:
    for wrong in ("0" * 32, "nothing"):
        with pytest.raises(sandport.NotFoundError):
            box.commands.connect(wrong)
    command = box.commands.run("sleep 600", background=True)
    with pytest.raises(sandport.BadRequestError):
        command.kill("SIGSEGV")
    with pytest.raises(sandport.ConflictError) as caught:
        command.send_stdin("x")
    assert caught.value.code == "stdin_closed"
    with pytest.raises(sandport.ConflictError) as caught:
        command.resize(10, 10)
    assert caught.value.code == "not_a_terminal"


def test_the_asynchronous_client(daemon: RunningDaemon, box: Sandbox) -> None:
    async def main() -> None:
        there = await AsyncSandbox.get(box.id)
        try:
            seen: List[str] = []
            command = await there.commands.run(
                "echo first; cat; echo problem >&2",
                stdin=True,
                background=True,
                on_stdout=seen.append,
            )
            await command.send_stdin(b"second\n")
            await command.close_stdin()
            result = await asyncio.wait_for(command.wait(), SOON)
            assert (result.stdout, result.stderr) == ("first\nsecond\n", "problem\n")
            assert "".join(seen) == result.stdout
            again = await there.commands.connect(command.id, since=(6, 0))
            async with again:
                # Between the streams there is no order.
                pieces = [piece async for piece in again]
                for stream, data in (("stdout", b"second\n"), ("stderr", b"problem\n")):
                    assert b"".join(p.data for p in pieces if p.stream == stream) == data
            await command.remove()

            async def lines() -> object:
                for number in range(3):
                    yield b"%d\n" % number

            result = await there.commands.run("cat", stdin=lines())  # type: ignore[arg-type]
            assert result.stdout == "0\n1\n2\n"

            many = [await there.commands.run(f"echo {n}", background=True) for n in range(5)]
            results = await asyncio.gather(*(each.wait(SOON) for each in many))
            assert [each.stdout for each in results] == ["0\n", "1\n", "2\n", "3\n", "4\n"]

            async with await there.pty.create(25, 90, cmd="stty size; cat") as terminal:
                typed = bytearray()
                await terminal.write("typed\n")
                async for data in terminal:
                    typed += data
                    if typed.count(b"typed\r\n") == 2:
                        break
                assert b"25 90" in typed
                await terminal.kill()
                assert (await terminal.wait(SOON)).signal == "SIGKILL"
        finally:
            await there.aclose()

    asyncio.run(asyncio.wait_for(main(), 120))


def test_survives_hibernation_where_memory_does(daemon: RunningDaemon, box: Sandbox) -> None:
    command = box.commands.run("echo one; read x; echo $x", stdin=True, background=True)
    read_until(command, "one\n")
    memory = box.hibernate().memory
    assert box.commands.list() != []
    box.wake()
    if memory:
        command.send_stdin("two\n")
        assert command.wait(SOON).stdout == "one\ntwo\n"
    else:
        with pytest.raises(sandport.CommandLostError):
            command.wait(SOON)
        assert command.info.status == "lost"
        assert command.output().data == b"one\n"
