"""Both clients of the SDK against a real daemon."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator, List

import pytest
from running_daemon import REPOSITORY, RunningDaemon

import sandport
from sandport import AsyncSandbox, AsyncSandboxClient, Sandbox, SandboxClient

MIB = 1024 * 1024


def test_the_object_describes_the_sandbox(daemon: RunningDaemon) -> None:
    with Sandbox.create(
        name="described",
        metadata={"team": "a"},
        env={"GREETING": "hi"},
        resources={"cpu": 0.5, "memory_mb": 256, "pids": 64},
        workdir="/tmp",
        user="root",
        ttl_seconds=600,
    ) as sandbox:
        info = sandbox.info
        assert (info.name, info.status, info.isolation) == (
            "described",
            "running",
            daemon.isolation,
        )
        assert (info.cpu, info.memory_mb, info.pids) == (0.5, 256, 64)
        assert (info.user, info.workdir, info.ttl_seconds) == ("root", "/tmp", 600)
        assert info.boot_ms > 0
        assert Sandbox.get("described").id == sandbox.id
        assert [each.id for each in Sandbox.list(metadata={"team": "a"})] == [sandbox.id]
        assert Sandbox.list(metadata={"team": "b"}) == []
        assert sandbox.exec("echo $GREETING; pwd; id -u").stdout == "hi\n/tmp\n0\n"
    with pytest.raises(sandport.NotFoundError):
        sandbox.refresh()
    sandbox.kill()


def test_paging_finds_every_sandbox(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandport._wire import sandboxes

    monkeypatch.setattr(sandboxes, "PAGE_SIZE", 2)
    with ThreadPoolExecutor(5) as pool:
        made = list(pool.map(lambda _: Sandbox.create(metadata={"t": "paging"}), range(5)))
    try:
        found = Sandbox.list(metadata={"t": "paging"})
        assert sorted(each.id for each in found) == sorted(each.id for each in made)
    finally:
        for each in made:
            each.kill()


def test_files(daemon: RunningDaemon, sandbox: Sandbox, tmp_path: Path) -> None:
    files = sandbox.filesystem
    assert files is sandbox.files
    every_byte = bytes(range(256)) * 4000
    assert files.write("/workspace/a.bin", every_byte).etag is not None
    assert files.read("/workspace/a.bin") == every_byte
    files.write("/workspace/b.bin", (every_byte[n : n + 7777] for n in range(0, 1_024_000, 7777)))
    assert files.read("/workspace/b.bin") == every_byte
    files.write("/workspace/run.sh", "#!/bin/sh\necho ran\n", mode=0o755)
    assert sandbox.exec(["/workspace/run.sh"]).stdout == "ran\n"
    assert files.stat("/workspace/run.sh").permissions == "0755"

    sandbox.exec("ln -s a.bin link; ln -s nowhere broken; mkdir -p d/e; mkfifo d/fifo", check=True)
    kinds = {entry.name: entry.type for entry in files.list("/workspace")}
    assert kinds == {
        "a.bin": "file",
        "b.bin": "file",
        "broken": "symlink",
        "d": "directory",
        "link": "symlink",
        "run.sh": "file",
    }
    assert files.stat("/workspace/link").type == "file"
    assert files.stat("/workspace/link", follow_symlinks=False).symlink_target == "a.bin"
    assert files.exists("/workspace/link")
    assert not files.exists("/workspace/broken")
    assert not files.exists("/workspace/a.bin/below")
    assert abs(files.stat("/workspace/a.bin").mod_time - time.time()) < 60
    assert [top for top, _, _ in files.walk("/workspace")] == [
        "/workspace",
        "/workspace/d",
        "/workspace/d/e",
    ]
    # gVisor keeps FIFOs inside its own kernel: from outside there is nothing.
    fifo = (
        (sandport.ConflictError, "not_a_regular_file")
        if daemon.isolation == "container"
        else (sandport.NotFoundError, "file_not_found")
    )
    for path, kind, code in [
        ("/workspace/d", sandport.ConflictError, "is_directory"),
        ("/workspace/d/fifo", *fifo),
        ("/proc/self/status", sandport.ConflictError, "not_a_regular_file"),
        ("workspace", sandport.BadRequestError, "invalid_path"),
        ("", sandport.BadRequestError, "invalid_path"),
        ("/a\0b", sandport.BadRequestError, "invalid_path"),
        ("/" + "n" * 256, sandport.BadRequestError, "invalid_path"),
        ("/workspace/none", sandport.NotFoundError, "file_not_found"),
    ]:
        with pytest.raises(kind) as caught:
            files.read(path)
        assert caught.value.code == code
        with pytest.raises(kind):
            files.download(path, tmp_path / "out")
    assert os.listdir(tmp_path) == []
    with pytest.raises(sandport.ConflictError):
        files.remove("/workspace/d")
    files.remove("/workspace/d", recursive=True)
    files.remove("/workspace/link")
    assert files.exists("/workspace/a.bin")
    with pytest.raises(sandport.NotFoundError):
        files.remove("/workspace/link")
    files.remove("/workspace/link", missing_ok=True)
    files.make_directory("/workspace/x/y/z")
    files.make_directory("/workspace/x/y/z")
    assert files.stat("/workspace/x/y/z").is_dir


@pytest.mark.parametrize(
    "name",
    ["a b", "ü✓", "new\nline", "q\"uo'te", "100%25", "a+b&c=d?e#f", "\x01", "é" * 127, "-rf", "\\"],
)
def test_any_name(sandbox: Sandbox, name: str) -> None:
    sandbox.filesystem.write(f"/workspace/{name}", name)
    assert sandbox.filesystem.read_text(f"/workspace/{name}") == name
    assert [entry.name for entry in sandbox.filesystem.list("/workspace")] == [name]
    listed = sandbox.exec(["python3", "-c", "import os; print(ascii(os.listdir('/workspace')))"])
    assert listed.stdout.strip() == ascii([name])


def test_commands(sandbox: Sandbox) -> None:
    run = sandbox.commands.run
    result = run("echo out; echo err >&2; exit 3", env={"A": "b"}, cwd="/")
    assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 3)
    assert not result.ok
    assert run(["printf", "%s|", "a b", "*"]).stdout == "a b|*|"
    assert run("cat", stdin="text").stdout == "text"
    assert run("od -An -tx1", stdin=b"\xff\x00").stdout.split() == ["ff", "00"]
    assert run("id -un; pwd").stdout == f"{sandbox.info.user}\n{sandbox.info.workdir}\n"
    assert run("id -u", user="root").stdout == "0\n"
    started = time.monotonic()
    ended = run("sleep 60 & sleep 60", timeout=0.5)
    assert ended.timed_out
    assert ended.exit_code > 128
    assert time.monotonic() - started < 10
    assert run("kill -9 $$").signal == "SIGKILL"
    invalid = run(r"printf 'a\377b'")
    assert invalid.stdout == "a\ufffdb"
    cut = run("head -c 11000000 /dev/zero | tr '\\0' x")
    assert cut.truncated
    assert len(cut.stdout) == 10 * MIB
    with pytest.raises(sandport.CommandFailedError) as failed:
        run("echo why >&2; exit 7", check=True)
    assert failed.value.result.stderr == "why\n"
    with pytest.raises(sandport.BadRequestError) as caught:
        run("true", cwd="/nowhere")
    assert caught.value.code == "command_not_started"


def test_streamed_commands(sandbox: Sandbox) -> None:
    out: List[str] = []

    def on_stdout(text: str) -> None:
        out.append(text)
        sandbox.files.write("/tmp/seen", b"")

    # It goes on only when its first line has been seen.
    result = sandbox.commands.run(
        "echo ü; until [ -e /tmp/seen ]; do sleep 0.05; done; echo b; echo e >&2",
        timeout=30,
        on_stdout=on_stdout,
        on_stderr=lambda _: None,
    )
    assert "".join(out) == result.stdout == "ü\nb\n"
    assert result.stderr == "e\n"
    assert out[0] == "ü\n"
    pieces: List[str] = []
    total = sandbox.commands.run(
        "python3 -c \"print('äöü€' * 700000, end='')\"", on_stdout=pieces.append
    )
    assert "".join(pieces) == total.stdout == "äöü€" * 700_000
    assert sandbox.exec_stream("exit 5") == 5


def test_calls_from_many_threads(sandbox: Sandbox) -> None:
    def work(number: int) -> None:
        path, data = f"/workspace/{number}", os.urandom(200_000)
        sandbox.filesystem.write(path, data)
        shown = sandbox.exec(f"sha256sum {path}", check=True).stdout.split()[0]
        assert shown == hashlib.sha256(data).hexdigest()
        assert sandbox.filesystem.read(path) == data

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(64)))


def test_large_files_are_not_held_in_memory(sandbox: Sandbox, tmp_path: Path) -> None:
    script = """
import resource, sys
from sandport import Sandbox
sandbox = Sandbox.get(sys.argv[1])
sandbox.filesystem.write("/workspace/warm", b"x" * 2_000_000)
sandbox.filesystem.download("/workspace/warm", "warm")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sandbox.filesystem.upload("large", "/workspace/large")
sandbox.filesystem.download("/workspace/large", "back", verify=True)
with sandbox.filesystem.read_stream("/workspace/large") as stream:
    total = sum(len(chunk) for chunk in stream)
print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    block = os.urandom(MIB)
    with (tmp_path / "large").open("wb") as file:
        for _ in range(256):
            file.write(block)
    done = subprocess.run(
        [sys.executable, "-c", script, sandbox.id],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    total, grown_kib = map(int, done.stdout.split())
    assert total == 256 * MIB
    assert grown_kib < 24 * 1024
    expected = hashlib.sha256(block * 256).hexdigest()
    assert sandbox.exec("sha256sum large", check=True).stdout.split()[0] == expected
    with (tmp_path / "back").open("rb") as back:
        assert all(chunk == block for chunk in iter(lambda: back.read(MIB), b""))


def test_an_interrupted_upload_leaves_the_old_file(sandbox: Sandbox) -> None:
    sandbox.filesystem.write("/workspace/f", "old")

    def failing() -> Iterator[bytes]:
        yield os.urandom(3 * MIB)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sandbox.filesystem.write("/workspace/f", failing())
    deadline = time.monotonic() + 5
    while len(sandbox.filesystem.list("/workspace")) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [entry.name for entry in sandbox.filesystem.list("/workspace")] == ["f"]
    assert sandbox.exec("ls -A /workspace").stdout == "f\n"
    assert sandbox.filesystem.read("/workspace/f") == b"old"


def test_refusals_of_large_uploads_say_why(sandbox: Sandbox) -> None:
    """The daemon answers before it took the body; the answer must not be lost."""
    for path, code in [("/workspace", "is_directory"), ("/proc/x", "not_a_regular_file")]:
        with pytest.raises(sandport.SandportError) as caught:
            sandbox.filesystem.write(path, (b"x" * MIB for _ in range(64)))
        assert caught.value.code == code


def test_a_key_that_is_wrong(daemon: RunningDaemon) -> None:
    with pytest.raises(sandport.AuthError):
        Sandbox.list(api_key="wrong")


def test_unknown_things_are_named(daemon: RunningDaemon) -> None:
    with pytest.raises(sandport.BadRequestError) as caught:
        Sandbox.create(template="nothing-like-it")
    assert caught.value.code == "unknown_template"
    assert "base" in caught.value.details["known"]
    with pytest.raises(sandport.BadRequestError) as caught:
        Sandbox.create(resources={"gpu": 1})
    assert "gpu" in str(caught.value)


def test_the_asynchronous_client(daemon: RunningDaemon, tmp_path: Path) -> None:
    async def pieces() -> object:
        for number in range(10):
            yield b"%d" % number

    async def run() -> None:
        async with await AsyncSandbox.create() as sandbox:
            files = sandbox.files
            await files.write("/workspace/f", pieces())  # type: ignore[arg-type]
            assert await files.read("/workspace/f") == b"0123456789"
            (tmp_path / "in").write_bytes(os.urandom(5 * MIB))
            await files.upload(tmp_path / "in", "/workspace/in")
            await files.download("/workspace/in", tmp_path / "out", verify=True)
            assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
            async with files.read_stream("/workspace/in") as stream:
                assert stream.size == 5 * MIB
                assert sum([len(chunk) async for chunk in stream]) == 5 * MIB
            assert [top async for top, _, _ in files.walk("/workspace")] == ["/workspace"]
            assert await files.exists("/workspace/f")
            await files.remove("/workspace/f")
            assert not await files.exists("/workspace/f")
            # Each goes on only when all have begun.
            together = (
                "mkdir -p /tmp/begun; touch /tmp/begun/$$;"
                " until [ $(ls /tmp/begun | wc -l) = 8 ]; do sleep 0.05; done; echo x"
            )
            results = await asyncio.gather(
                *(sandbox.commands.run(together, timeout=30) for _ in range(8))
            )
            assert [result.stdout for result in results] == ["x\n"] * 8
            out: List[str] = []
            assert await sandbox.exec_stream("echo streamed", out.append) == 0
            assert "".join(out) == "streamed\n"
        async with AsyncSandboxClient() as client:
            box = await client.create_sandbox("python-sandbox-template")
            await box.files.write("a.txt", "a")
            assert [entry.name for entry in await box.files.list(".")].count("a.txt") == 1
            assert (await box.commands.run("cat ~/a.txt")).stdout == "a"

    asyncio.run(run())


def test_cancelling_a_transfer_leaves_nothing(daemon: RunningDaemon, tmp_path: Path) -> None:
    async def run() -> None:
        async with await AsyncSandbox.create() as sandbox:
            await sandbox.exec("head -c 200000000 /dev/zero > /workspace/zeros", check=True)
            task = asyncio.ensure_future(
                sandbox.files.download("/workspace/zeros", tmp_path / "out")
            )
            while not os.listdir(tmp_path):  # noqa: ASYNC110 - the disk signals no event
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert os.listdir(tmp_path) == []

    asyncio.run(run())


def test_cancelling_a_command_ends_it(daemon: RunningDaemon) -> None:
    async def run() -> None:
        async with await AsyncSandbox.create() as sandbox:
            for start in (sandbox.exec, sandbox.exec_stream):
                task = asyncio.ensure_future(
                    start("echo $$ > /tmp/p; mv /tmp/p /tmp/pid; exec sleep 1000")
                )
                while not await sandbox.files.exists("/tmp/pid"):  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.02)
                pid = (await sandbox.files.read_text("/tmp/pid")).strip()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                gone = (
                    f"for n in $(seq 50); do [ -d /proc/{pid} ] || exit 0; sleep 0.1; done; exit 1"
                )
                assert (await sandbox.exec(gone)).ok
                await sandbox.files.remove("/tmp/pid")

    asyncio.run(run())


@pytest.mark.parametrize("readme", ["sdks/python/README.md", "README.md"])
def test_programs_of_the_readme(daemon: RunningDaemon, tmp_path: Path, readme: str) -> None:
    text = (REPOSITORY / readme).read_text("utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert programs
    for program in programs:
        (tmp_path / "program.py").write_text(program, "utf-8")
        done = subprocess.run(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env=daemon.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


def test_waits_for_a_silent_command(daemon: RunningDaemon) -> None:
    """Idle timeouts are for transfers: a command may be silent for longer."""
    config = sandport.ConnectionConfig(idle_timeout=1.5)
    with Sandbox.create() as made, SandboxClient(config) as client:
        box = client.get_sandbox(made.id)
        assert box.commands.run("sleep 3; echo done").stdout == "done\n"
