"""Directories and large files of both clients against a real daemon."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from cutting_proxy import CuttingProxy
from hypothesis import HealthCheck, given, settings
from running_daemon import RunningDaemon
from test_files import files as files
from trees import build, describe, trees

import sandport
from sandport import AsyncSandbox, Sandbox, SandportError, TransferProgress
from sandport import _flow as flow

MIB = 2**20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with one of everything."""
    root = tmp_path / "source"
    (root / "sub" / "empty").mkdir(parents=True)
    (root / "sub" / "f.txt").write_bytes(b"contents")
    (root / "sub" / "program").write_bytes(b"#!/bin/sh\n")
    (root / "sub" / "program").chmod(0o755)
    os.utime(root / "sub" / "f.txt", ns=(1, 1_600_000_000_123_456_789))
    (root / "ü b").write_bytes(os.urandom(200_000))
    os.link(root / "sub" / "f.txt", root / "hard")
    (root / "link").symlink_to("sub/f.txt")
    (root / "skip.log").write_bytes(b"ignored")
    os.utime(root / "sub", ns=(1, 1_500_000_000_000_000_001))
    return root


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_up_and_down(files: Any, source: Path, tmp_path: Path, compression: str) -> None:
    told: List[TransferProgress] = []
    sent = files.upload_dir(
        source,
        "/workspace/t",
        ignore=["*.log"],
        compression=compression,
        on_progress=told.append,
    )
    assert (sent.files, sent.symlinks, sent.hard_links) == (3, 1, 1)
    assert told[-1].bytes == told[-1].total_bytes == sent.bytes
    got = files.download_dir("/workspace/t", tmp_path / "target", compression=compression)
    assert (got.files, got.hard_links, got.bytes) == (sent.files, sent.hard_links, sent.bytes)
    (source / "skip.log").unlink()
    assert describe(tmp_path / "target") == describe(source)


def test_leaving_out(files: Any, source: Path, tmp_path: Path) -> None:
    (source / ".sandportignore").write_text("/sub/empty\n*.log\n!.sandportignore\n")
    files.upload_dir(source, "/workspace/t")
    names = {entry.path[len("/workspace/t/") :] for entry in files.entries("/workspace/t")}
    assert names == {"sub", "sub/f.txt", "sub/program", "ü b", "hard", "link", ".sandportignore"}
    files.download_dir("/workspace/t", tmp_path / "a", exclude=["*.txt"], ignore=["/hard"])
    assert set(describe(tmp_path / "a")) == {"sub", "sub/program", "ü b", "link", ".sandportignore"}


def test_what_a_guest_plants(files: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.exec(
        "mkdir t; cd t; ln -s / root; ln -s ../../../etc up; ln -s f ok; echo x > f;"
        " chmod 7755 f; mkfifo pipe; ln -s loop loop",
        check=True,
    )
    got = files.download_dir("/workspace/t", tmp_path / "t")
    assert sorted(os.listdir(tmp_path / "t")) == ["f", "loop", "ok"]
    assert sorted(skipped.path for skipped in got.skipped) == ["root", "up"]
    assert (tmp_path / "t" / "f").stat().st_mode & 0o7777 == 0o755
    with pytest.raises(SandportError) as caught:
        files.download_dir("/workspace/t", tmp_path / "u", unsafe_links="error")
    assert caught.value.code == "unsafe_archive"
    with pytest.raises(sandport.TooLargeError):
        files.download_dir("/workspace/t", tmp_path / "v", max_entries=2)
    with pytest.raises(sandport.NotFoundError):
        files.download_dir("/workspace/none", tmp_path / "w")
    assert not (tmp_path / "w").exists()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tree=trees(6))
def test_any_tree(sandbox: Sandbox, tree: Dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        source = Path(directory, "source")
        source.mkdir()
        build(source, tree)
        remote = f"/workspace/{os.path.basename(directory)}"
        sandbox.files.upload_dir(source, remote)
        sandbox.files.download_dir(remote, Path(directory, "down"))
        assert describe(Path(directory, "down")) == describe(source)
        assert sandbox.files.sync_dir(source, remote).actions == []
        sandbox.files.sync_dir(Path(directory, "synced"), remote, direction="down")
        again = sandbox.files.sync_dir(Path(directory, "synced"), remote, direction="down")
        assert again.actions == []
        modes = describe(Path(directory, "synced"), times=False)
        assert modes == describe(source, times=False)


def test_sync_up(files: Any, source: Path, tmp_path: Path) -> None:
    where = "/workspace/s"
    planned = files.sync_dir(source, where, ignore=["*.log"], dry_run=True)
    assert (planned.created, planned.dry_run) == (7, True)
    assert not files.exists(where)
    assert files.sync_dir(source, where, ignore=["*.log"]).actions == planned.actions
    assert files.sync_dir(source, where, ignore=["*.log"]).unchanged == 7
    (source / "sub" / "program").write_bytes(b"#!/bin/false\n")
    (source / "sub" / "f.txt").chmod(0o600)
    (source / "link").unlink()
    (source / "link").symlink_to("elsewhere")
    files.write(f"{where}/extra/deep", b"x")
    files.write(f"{where}/kept.log", b"x")
    result = files.sync_dir(source, where, delete=True, ignore=["*.log"])
    assert {(each.action, each.path) for each in result.actions} == {
        ("deleted", "extra"),
        ("updated", "hard"),
        ("updated", "sub/f.txt"),
        ("updated", "sub/program"),
        ("updated", "link"),
    }
    assert not files.exists(f"{where}/extra")
    assert files.exists(f"{where}/kept.log")
    files.download_dir(where, tmp_path / "back")
    (tmp_path / "back" / "kept.log").unlink()
    (source / "skip.log").unlink()
    same = describe(source, times=False)
    back = describe(tmp_path / "back", times=False)
    assert {path: what[:2] for path, what in back.items()} == {
        path: what[:2] for path, what in same.items()
    }


def test_sync_compares_digests(files: Any, source: Path) -> None:
    files.sync_dir(source, "/workspace/s")
    os.utime(source / "ü b", ns=(5, 5))
    assert files.sync_dir(source, "/workspace/s", checksum=True).actions == []
    status = (source / "ü b").stat()
    (source / "ü b").write_bytes(bytes(status.st_size))
    os.utime(source / "ü b", ns=(5, 5))
    assert len(files.sync_dir(source, "/workspace/s", checksum=True).actions) == 1


def test_sync_down(files: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.exec(
        "mkdir -p s/a/b; cd s; echo one > a/one; head -c 3000000 /dev/urandom > large; "
        "ln -s a/one link; ln -s /etc/passwd out; chmod 600 a/one; chmod 700 a/b",
        check=True,
    )
    target = tmp_path / "t"
    (target / "gone").mkdir(parents=True)
    (target / "gone" / "file").write_bytes(b"x")
    (target / "keep.log").write_bytes(b"mine")
    (target / "link").mkdir()
    options: Dict[str, Any] = {"direction": "down", "delete": True, "ignore": ["*.log"]}
    result = files.sync_dir(target, "/workspace/s", **options)
    assert [skipped.path for skipped in result.skipped] == ["out"]
    assert {each.path for each in result.actions} == {"gone", "a", "a/b", "a/one", "large", "link"}
    assert (target / "a" / "one").read_bytes() == b"one\n"
    assert (target / "a" / "one").stat().st_mode & 0o777 == 0o600
    assert (target / "large").read_bytes() == files.read("/workspace/s/large")
    assert sorted(os.listdir(target)) == ["a", "keep.log", "large", "link"]
    again = files.sync_dir(target, "/workspace/s", **options)
    assert again.actions == []
    sandbox.exec("cd s; echo two > a/one; chmod 755 large; rm link; mkdir link", check=True)
    changed = files.sync_dir(target, "/workspace/s", **options)
    assert {(each.action, each.path) for each in changed.actions} == {
        ("updated", "a/one"),
        ("updated", "large"),
        ("replaced", "link"),
    }
    assert (target / "a" / "one").read_bytes() == b"two\n"
    assert (target / "link").is_dir()
    assert (target / "large").stat().st_mode & 0o777 == 0o755


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Longer than what goes in one request."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        for _ in range(70):
            file.write(random.randbytes(MIB))
    return path


def test_large_files(files: Any, large: Path, tmp_path: Path) -> None:
    told: List[TransferProgress] = []
    result = files.upload(large, "/workspace/large", preserve=True, on_progress=told.append)
    assert result.size == 70 * MIB
    assert told[-1] == TransferProgress(70 * MIB, 70 * MIB, 1)
    entry = files.stat("/workspace/large")
    assert entry.etag == result.etag
    assert round(entry.mod_time * 1000) == large.stat().st_mtime_ns // 1_000_000
    files.download("/workspace/large", tmp_path / "back", verify=True, on_progress=told.append)
    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    assert told[-1].bytes == 70 * MIB


@pytest.fixture
def proxy(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[CuttingProxy]:
    """Between the client and the daemon; every connection breaks after some bytes."""
    monkeypatch.setattr(flow, "FIRST_PAUSE_SECONDS", 0.01)
    with CuttingProxy(daemon.url) as made:
        yield made


def test_broken_connections(
    sandbox: Sandbox, proxy: CuttingProxy, daemon: RunningDaemon, large: Path, tmp_path: Path
) -> None:
    there = Sandbox.get(sandbox.id, url=proxy.url, api_key=daemon.api_key)
    proxy.cut_after = [20 * MIB, 100, 9 * MIB, 5]
    there.files.upload(large, "/workspace/large")
    assert proxy.cut_after == []
    proxy.cut_after = [11 * MIB, 1000, 30 * MIB]
    there.files.download("/workspace/large", tmp_path / "back", verify=True)
    assert proxy.cut_after == []
    assert (tmp_path / "back").read_bytes() == large.read_bytes()


def test_a_directory_whose_connection_breaks(
    sandbox: Sandbox, proxy: CuttingProxy, daemon: RunningDaemon, source: Path, tmp_path: Path
) -> None:
    there = Sandbox.get(sandbox.id, url=proxy.url, api_key=daemon.api_key)
    proxy.cut_after = [100_000]
    with pytest.raises(sandport.NetworkError):
        there.files.upload_dir(source, "/workspace/t")
    sandbox.files.upload_dir(source, "/workspace/t")
    proxy.cut_after = [100_000]
    with pytest.raises(sandport.NetworkError):
        there.files.download_dir("/workspace/t", tmp_path / "t")
    names = [name for _, _, names in os.walk(tmp_path / "t") for name in names]
    assert not [name for name in names if name.endswith(".part")]


def test_cancelled_directories(daemon: RunningDaemon, source: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await AsyncSandbox.create() as sandbox:
            (source / "big").write_bytes(bytes(30 * MIB))
            for work in (
                lambda told: sandbox.files.upload_dir(source, "/workspace/t", on_progress=told),
                lambda told: sandbox.files.download_dir(
                    "/workspace/t", tmp_path / "t", on_progress=told
                ),
            ):
                begun = asyncio.Event()
                task = asyncio.ensure_future(work(lambda _, begun=begun: begun.set()))
                await begun.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await sandbox.files.upload_dir(source, "/workspace/t")

    asyncio.run(scenario())
    names = [name for _, _, names in os.walk(tmp_path / "t") for name in names]
    assert not [name for name in names if name.endswith(".part")]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_an_empty_directory_is_made(files: Any, tmp_path: Path, direction: str) -> None:
    here, there = tmp_path / "empty", "/workspace/empty"
    if direction == "up":
        here.mkdir()
    else:
        files.make_directory(there)
    assert files.sync_dir(here, there, direction=direction).actions == []
    assert os.listdir(here) == []
    assert files.list(there) == []
