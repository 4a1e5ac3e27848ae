from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterator, List, Optional

import pytest
from fake_daemon import FakeDaemon, digest

from sandport import (
    DigestMismatchError,
    NetworkError,
    NotFoundError,
    PreconditionFailedError,
    Sandbox,
)

ALL_BYTES = bytes(range(256)) * 41


def cut(announced: int, sent: bytes) -> bytes:
    """An answer that ends early."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\n\r\n".encode() + sent


def test_reads_what_was_written(daemon: FakeDaemon, sandbox: Any) -> None:
    result = sandbox.filesystem.write("/workspace/a b é.bin", ALL_BYTES)
    assert result == {"path": "/workspace/a b é.bin", "bytes": len(ALL_BYTES)}
    assert (result.path, result.bytes) == ("/workspace/a b é.bin", len(ALL_BYTES))
    assert result.etag.startswith('"')
    assert sandbox.filesystem.read("/workspace/a b é.bin") == ALL_BYTES
    assert daemon.last("PUT").headers["repr-digest"] == digest(ALL_BYTES)
    assert daemon.last("PUT").headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("content", "stored"),
    [
        ("grüße\n", "grüße\n".encode()),
        ("", b""),
        (b"", b""),
        (bytearray(b"abc"), b"abc"),
        (memoryview(b"abcdef")[1:3], b"bc"),
        (memoryview(b"abcdef")[::2], b"ace"),
        (io.BytesIO(b"from memory"), b"from memory"),
        ([b"one", bytearray(b"two"), b"", memoryview(b"three")], b"onetwothree"),
        ((chunk for chunk in (b"x" * 70_000, b"y")), b"x" * 70_000 + b"y"),
        ((), b""),
    ],
)
def test_writes_every_kind_of_content(daemon: FakeDaemon, content: Any, stored: bytes) -> None:
    with Sandbox.create() as sandbox:
        assert sandbox.filesystem.write("/f", content).bytes == len(stored)
        assert daemon.files["/f"] == stored


@pytest.mark.parametrize("content", [7, None, io.StringIO("text"), [b"a", "b"], object()])
def test_refuses_what_is_not_bytes(sandbox: Any, content: Any) -> None:
    with pytest.raises(TypeError):
        sandbox.filesystem.write("/f", content)


def test_writes_a_file_from_its_position_with_its_length(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"skipped" + ALL_BYTES)
    with open(tmp_path / "in", "rb") as file:
        file.seek(7)
        sandbox.filesystem.write("/f", file)
    assert daemon.files["/f"] == ALL_BYTES
    headers = daemon.last("PUT").headers
    assert headers["content-length"] == str(len(ALL_BYTES))
    assert headers["want-repr-digest"] == "sha-256=1"


def test_reads_files_of_the_kernel_to_their_end(daemon: FakeDaemon, sandbox: Any) -> None:
    sandbox.filesystem.upload("/proc/self/cmdline", "/f")
    assert daemon.files["/f"] != b""


def test_says_when_a_local_file_shrinks(sandbox: Any, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"0123456789")
    with open(tmp_path / "in", "rb", buffering=0) as file:

        class Shrinking(io.FileIO):
            def read(self, size: Any = -1, /) -> bytes:
                os.truncate(tmp_path / "in", 0)
                return b""

        shrinking = Shrinking(file.fileno(), closefd=False)
        with pytest.raises(OSError, match="became shorter"):
            sandbox.filesystem.write("/f", shrinking)


def test_passes_on_the_errors_of_an_iterable(sandbox: Any) -> None:
    def failing() -> Iterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sandbox.filesystem.write("/f", failing())
    assert sandbox.filesystem.write("/f", b"still usable").bytes == 12


def test_writes_from_an_asynchronous_iterable(daemon: FakeDaemon) -> None:
    import asyncio

    from sandport import AsyncSandbox

    async def pieces() -> Any:
        yield b"one"
        yield b""
        yield b"two"

    async def run() -> None:
        async with await AsyncSandbox.create() as sandbox:
            assert (await sandbox.files.write("/f", pieces())).bytes == 6

    asyncio.run(run())
    assert daemon.files["/f"] == b"onetwo"


def test_cancelling_waits_for_the_disk(daemon: FakeDaemon, tmp_path: Path) -> None:
    import asyncio
    import threading

    from sandport import AsyncSandbox

    reading, go_on = threading.Event(), threading.Event()
    used_after_close: List[bool] = []

    class Slow(io.BytesIO):
        def read(self, size: Optional[int] = -1, /) -> bytes:
            reading.set()
            go_on.wait(5)
            used_after_close.append(self.closed)
            return b""

    async def run() -> None:
        async with await AsyncSandbox.create() as sandbox:
            with Slow(b"abc") as file:
                task = asyncio.ensure_future(sandbox.files.write("/f", file))
                await asyncio.to_thread(reading.wait, 5)
                task.cancel()
                await asyncio.sleep(0.02)
                assert not task.done()
                go_on.set()
                with pytest.raises(asyncio.CancelledError):
                    await task

    asyncio.run(run())
    assert used_after_close == [False]
    assert "/f" not in daemon.files


def test_sends_the_mode(daemon: FakeDaemon, sandbox: Any) -> None:
    sandbox.filesystem.write("/f", b"", mode=0o755)
    assert daemon.last("PUT").query["mode"] == "0755"
    sandbox.filesystem.write("/f", b"")
    assert daemon.last("PUT").query == {"path": "/f"}


@pytest.mark.parametrize(
    "stored", [{"bytes": 2, "sha": hashlib.sha256(b"abc")}, {"bytes": 3, "sha": hashlib.sha256()}]
)
def test_notices_that_other_bytes_were_stored(
    daemon: FakeDaemon, sandbox: Any, stored: Any
) -> None:
    import base64

    body = b'{"path": "/f", "bytes": %d}' % stored["bytes"]
    sha = base64.b64encode(stored["sha"].digest()).decode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nRepr-Digest: sha-256=:{sha}:\r\n\r\n"
    daemon.instead.append(head.encode() + body)
    with pytest.raises(DigestMismatchError) as caught:
        sandbox.filesystem.write("/f", iter([b"abc"]))
    assert caught.value.path == "/f"


def test_uploads_and_downloads(daemon: FakeDaemon, sandbox: Any, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(ALL_BYTES * 300)
    result = sandbox.filesystem.upload(tmp_path / "in", PurePosixPath("/data/x"))
    assert result.bytes == len(ALL_BYTES) * 300
    local = tmp_path / "made" / "for" / "it" / "out"
    sandbox.filesystem.download("/data/x", local)
    assert local.read_bytes() == ALL_BYTES * 300
    sandbox.filesystem.download("/data/x", str(local), verify=True)
    assert os.listdir(local.parent) == ["out"]


def test_download_replaces_as_a_whole(daemon: FakeDaemon, sandbox: Any, tmp_path: Path) -> None:
    daemon.files["/f"] = b"new"
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    sandbox.filesystem.download("/f", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_a_new_local_file_has_the_usual_mode(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    daemon.files["/f"] = b"new"
    sandbox.filesystem.download("/f", tmp_path / "new")
    (tmp_path / "usual").write_bytes(b"")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_failed_download_leaves_the_old_file(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    local = tmp_path / "out"
    local.write_bytes(b"old")
    daemon.files["/f"] = b"new"
    for answer in (cut(10, b"half"), b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n"):
        daemon.instead[:] = [answer] * 3
        with pytest.raises(NetworkError):
            sandbox.filesystem.download("/f", local)
        daemon.instead.clear()
    with pytest.raises(NotFoundError):
        sandbox.filesystem.download("/missing", local)
    assert local.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]


def test_download_refuses_a_local_directory(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    daemon.files["/f"] = b"new"
    with pytest.raises(IsADirectoryError):
        sandbox.filesystem.download("/f", tmp_path)


def test_verification_finds_a_changed_file(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    daemon.files["/f"] = b"first"
    daemon.before_head = lambda: daemon.files.update({"/f": b"second"})
    with pytest.raises(PreconditionFailedError):
        sandbox.filesystem.download("/f", tmp_path / "out", verify=True)
    daemon.before_head = lambda: daemon.instead.append(b"")
    assert os.listdir(tmp_path) == []


def test_verification_needs_a_digest(daemon: FakeDaemon, sandbox: Any, tmp_path: Path) -> None:
    daemon.files["/f"] = b"abc"
    whole = cut(3, b"abc")
    for head in (
        b"HTTP/1.1 200 OK\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nRepr-Digest: {digest(b'')}\r\n\r\n".encode(),
    ):
        daemon.instead[:] = [whole, head]
        with pytest.raises(DigestMismatchError):
            sandbox.filesystem.download("/f", tmp_path / "out", verify=True)
    assert os.listdir(tmp_path) == []


def test_a_digest_that_comes_ahead_is_checked(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    daemon.files["/f"] = b"abc"
    head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nRepr-Digest: {}\r\n\r\n"
    transfers: List[Callable[[], Any]] = [
        lambda: sandbox.filesystem.read("/f"),
        lambda: sandbox.filesystem.download("/f", tmp_path / "out"),
    ]
    for announced, fits in ((digest(b"abc"), True), (digest(b"abd"), False)):
        for transfer in transfers:
            daemon.instead[:] = [head.format(announced).encode() + b"abc"]
            if fits:
                transfer()
            else:
                with pytest.raises(DigestMismatchError):
                    transfer()
    assert (tmp_path / "out").read_bytes() == b"abc"
    assert os.listdir(tmp_path) == ["out"]
    assert daemon.last("GET").headers["want-repr-digest"] == "sha-256=1"


def test_streams_a_file(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.files["/f"] = ALL_BYTES * 300
    with sandbox.filesystem.read_stream("/f") as stream:
        assert stream.size == len(ALL_BYTES) * 300
        assert stream.etag is not None
        assert b"".join(stream) == ALL_BYTES * 300
    assert b"".join(sandbox.filesystem.read_stream("/f")) == ALL_BYTES * 300
    with sandbox.filesystem.read_stream("/f") as stream:
        for _ in stream:
            break
    stream = sandbox.filesystem.read_stream("/missing")
    with pytest.raises(NotFoundError):
        next(iter(stream))
    assert sandbox.filesystem.read_text("/f", "latin-1")[:256] == bytes(range(256)).decode(
        "latin-1"
    )


def test_errors_name_what_they_are_about(daemon: FakeDaemon, sandbox: Any) -> None:
    with pytest.raises(NotFoundError) as caught:
        sandbox.filesystem.read("/missing")
    error = caught.value
    assert (error.code, error.status_code, error.path) == ("file_not_found", 404, "/missing")
    assert error.request_id == "request-1"
    assert error.message == "Nothing at /missing."
    assert not error.retryable


def test_lists_and_walks(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.files.update({"/d/b": b"22", "/d/a/x": b"1", "/d/a/y/z": b"", "/d/c/w": b""})
    daemon.links["/d/link"] = "/d/a"
    entries = sandbox.filesystem.list("/d")
    assert [(e.name, e.type, e.is_dir) for e in entries] == [
        ("a", "directory", True),
        ("b", "file", False),
        ("c", "directory", True),
        ("link", "symlink", False),
    ]
    assert entries[1].size == 2
    assert entries[1].mod_time == 1767225600.25
    assert entries[1].mtime == 1767225600
    assert entries[3].symlink_target == "/d/a"
    walked = [
        (top, [d.name for d in dirs], [f.name for f in others])
        for top, dirs, others in sandbox.filesystem.walk("/d")
    ]
    assert walked == [
        ("/d", ["a", "c"], ["b", "link"]),
        ("/d/a", ["y"], ["x"]),
        ("/d/a/y", [], ["z"]),
        ("/d/c", [], ["w"]),
    ]
    pruned = []
    for top, dirs, _ in sandbox.filesystem.walk("/d"):
        pruned.append(top)
        dirs.clear()
    assert pruned == ["/d"]
    with pytest.raises(NotFoundError):
        list(sandbox.filesystem.walk("/missing"))


def test_stat_exists_remove_make_directory(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.files["/d/f"] = b"abc"
    assert sandbox.filesystem.stat("/d/f").size == 3
    assert sandbox.filesystem.exists("/d/f")
    assert sandbox.filesystem.exists("/d")
    assert not sandbox.filesystem.exists("/nothing")
    sandbox.filesystem.stat("/d/f", follow_symlinks=False)
    assert daemon.last("GET").query["follow_symlinks"] == "false"
    sandbox.filesystem.make_directory("/d/new")
    assert daemon.last("POST").query == {"path": "/d/new"}
    sandbox.filesystem.remove("/d/f")
    assert daemon.last("DELETE").query == {
        "path": "/d/f",
        "recursive": "false",
        "must_exist": "true",
    }
    with pytest.raises(NotFoundError):
        sandbox.filesystem.remove("/d/f")
    sandbox.filesystem.remove("/d/f", recursive=True, missing_ok=True)
