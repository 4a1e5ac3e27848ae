"""Files and commands of `sandport.agent_sandbox`, and of its asynchronous twin."""

from __future__ import annotations

import io
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from twins import Waiting, raised

from sandport.agent_sandbox import (
    SandboxRequestError,
)
from sandport.agent_sandbox.models import (
    ExecutionResult,
    FileEntry,
)


def test_commands(box: Any) -> None:
    run = box.commands.run
    assert run("pwd; echo err >&2; exit 3") == ExecutionResult("/home/user\n", "err\n", 3)
    assert run("cd /tmp && echo $(pwd) | tr a-z A-Z > x; cat x").stdout == "/TMP\n"
    assert run("printf '\\377'").stdout == "\ufffd"
    assert run("").exit_code == 0
    assert run("kill -9 $$").exit_code == -9
    assert run("echo $A-$B", env={"A": "1", "B": "x y"}).stdout == "1-x y\n"
    assert run("pwd", cwd="/tmp").stdout == "/tmp\n"
    assert run("mkdir sub; pwd", cwd=".").stdout == "/home/user\n"
    assert run("pwd", cwd="sub").stdout == "/home/user/sub\n"
    raised(SandboxRequestError, run, "true", cwd="/nowhere")
    assert run("sleep 0.1", timeout=None).exit_code == 0
    assert run("sleep 0.1", timeout=(3, 5)).exit_code == 0
    for timeout in (0, -1, "1", True):
        raised(ValueError, run, "true", timeout=timeout)
    for name in ("", "A=B"):
        raised(ValueError, run, "true", env={name: "x"})
    raised(TypeError, run, ["true"])


def test_a_command_that_takes_too_long_runs_once_and_is_ended(box: Any) -> None:
    slow = "echo begun >> n; (sleep 60; echo survived >> n) & sleep 60"
    started = time.monotonic()
    error = raised(SandboxRequestError, box.commands.run, slow, timeout=0.7)
    assert 0.6 < time.monotonic() - started < 10
    assert error.status_code is None
    assert "0.7 seconds" in str(error)
    assert box.files.read("n") == b"begun\n"
    result = box.commands.run("echo out; echo err >&2; sleep 60", command_timeout=0.5)
    assert (result.stdout, result.exit_code, result.timed_out) == ("out\n", 124, True)
    assert result.stderr == "err\nCommand timed out after 0.5 seconds"
    assert "sleep" not in box.commands.run("cat /proc/[0-9]*/comm").stdout
    assert box.files.read("n") == b"begun\n"


def test_files(box: Any) -> None:
    files = box.files
    files.write("/home/user/new/dir/a b ü#?%20.txt", "grüße")
    assert files.read("new/dir/a b ü#?%20.txt").decode() == "grüße"
    files.write("/tmp/x.bin", bytes(range(256)) * 100)
    assert files.read("/tmp/x.bin") == bytes(range(256)) * 100
    files.write("stream", io.BytesIO(b"x" * 300_000))
    assert len(files.read("/home/user/stream")) == 300_000
    for content in (bytearray(b"b"), memoryview(b"b")):
        files.write("b", content)
        assert files.read("./b") == b"b"
    files.write("b", b"")
    assert files.read("b") == b""
    box.commands.run("ln -s dir new/link; ln -s nothing new/dangling; mkfifo new/fifo")
    (entry, link) = files.list("new")
    assert (entry.name, entry.type, link.name, link.type) == (
        "dir",
        "directory",
        "link",
        "directory",
    )
    (entry,) = files.list("/home/user/new/dir")
    assert isinstance(entry, FileEntry)
    assert (entry.name, entry.size, entry.type, entry.mode) == ("a b ü#?%20.txt", 7, "file", "0644")
    assert abs((datetime.now(timezone.utc) - entry.modified).total_seconds()) < 60
    assert entry.mod_time == entry.modified.timestamp()
    assert files.list("") == files.list(".") == files.list("/home/user")
    assert all(files.exists(path) for path in ("new", "/etc/passwd", "", ".."))
    assert not any(files.exists(path) for path in ("new/dangling", "stream/below", "/no"))
    files.delete("stream")
    assert not files.exists("stream")
    assert raised(SandboxRequestError, files.delete, "new").status_code == 409
    files.delete("new", recursive=True)
    assert raised(SandboxRequestError, files.delete, "new").status_code == 404
    raised(ValueError, files.delete, "")


def test_refused_paths_and_contents(box: Any) -> None:
    files = box.files
    for path in ("", "  ", ".", "/", "a\0b", "a\nb", "../x", "a/../../x", "\x7f"):
        raised(ValueError, files.write, path, b"")
        raised(ValueError, files.read, path)
    files.write("a/../b//c/", b"1")
    assert files.read("/home/user/b/c") == b"1"
    files.write("../user/d", b"2", allow_unsafe_paths=True)
    assert files.read("../user/d", allow_unsafe_paths=True) == b"2"
    files.write("/tmp/../tmp/e", b"3")
    assert files.read("/tmp/e") == b"3"
    for content in (io.StringIO("x"), 5, None, ["x"]):
        raised(TypeError, files.write, "f", content)
    assert not files.exists("f")
    raised(TypeError, files.read, 5)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/nothing", "file_not_found"),
        ("/tmp", "is_directory"),
        ("/etc/passwd/x", "not_a_directory"),
    ],
)
def test_a_file_that_cannot_be_read(box: Any, path: str, code: str) -> None:
    error = raised(SandboxRequestError, box.files.read, path)
    assert error.status_code == error.response.status_code == 404
    assert error.response.json()["code"] == code
    assert error.response.text
    assert not error.response.ok
    assert error.response.reason == "Not Found"
    assert path in str(error)


def test_a_directory_that_cannot_be_listed(box: Any) -> None:
    for path in ("/nothing", "/etc/passwd"):
        assert raised(SandboxRequestError, box.files.list, path).status_code == 404


class Destination:
    """Takes a few bytes at a time."""

    def __init__(self, asynchronous: bool) -> None:
        self.content = b""
        self._asynchronous = asynchronous

    def write(self, content: bytes) -> Any:
        self.content += content[:70_000]
        count = min(len(content), 70_000)

        async def later() -> int:
            return count

        return later() if self._asynchronous else count


def test_streaming_a_file(box: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 2000
    box.files.write("f", content)
    whole = io.BytesIO()
    assert box.files.read_to("f", whole) == len(whole.getvalue()) == len(content)
    few = Destination(asynchronous=isinstance(box, Waiting))
    assert box.files.read_to("f", few, max_bytes=len(content)) == len(content)
    assert few.content == content
    raised(RuntimeError, box.files.read_to, "f", io.BytesIO(), max_bytes=1000)
    with (tmp_path / "local").open("wb") as file:
        box.files.read_to("/home/user/f", file)
    with (tmp_path / "local").open("rb") as file:
        file.seek(10)
        box.files.write("g", file)
    assert box.files.read("g") == content[10:]
    for destination in (None, 5, io.StringIO()):
        raised(TypeError, box.files.read_to, "f", destination)
    for limit in (-1, 1.5, True):
        raised(ValueError, box.files.read_to, "f", io.BytesIO(), max_bytes=limit)
    box.commands.run("cp /dev/null empty")
    assert box.files.read_to("empty", io.BytesIO(), max_bytes=0) == 0
