"""The unmodified package `pandastack` from PyPI, pointed at the daemon."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Iterator, List

import pandastack
import pytest
from running_daemon import RunningDaemon


@pytest.fixture
def client(daemon: RunningDaemon) -> Iterator[pandastack.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        client = pandastack.Client(api_url=daemon.url, api_key=daemon.api_key)
        pandastack.set_default_client(client)
        yield client
        pandastack.set_default_client(None)
        session = getattr(client, "session", None) or getattr(client, "_session", None)
        if session is not None:
            session.close()


@pytest.fixture
def box(client: pandastack.Client) -> Iterator[pandastack.Sandbox]:
    sandbox = pandastack.Sandbox.create(template="ubuntu-24.04", metadata={"suite": "compat"})
    yield sandbox
    with contextlib.suppress(pandastack.NotFoundError):
        sandbox.kill()


def test_create_get_list_kill(box: pandastack.Sandbox) -> None:
    assert box.status == "running"
    assert box.metadata["suite"] == "compat"
    assert pandastack.Sandbox.get(box.id).id == box.id
    assert box.id in [each.id for each in pandastack.Sandbox.list()]
    box.kill()
    with pytest.raises(pandastack.NotFoundError):
        pandastack.Sandbox.get(box.id)


def test_files(box: pandastack.Sandbox, tmp_path: Path) -> None:
    every_byte = bytes(range(256)) * 1000
    written = box.filesystem.write("/workspace/dir/a b é.bin", every_byte)
    assert (written["path"], written["bytes"]) == ("/workspace/dir/a b é.bin", 256_000)
    assert box.filesystem.read("/workspace/dir/a b é.bin") == every_byte
    assert box.filesystem.write("/workspace/text.txt", "grüße\n")["bytes"] == 8
    box.filesystem.write("/workspace/empty", b"")
    assert box.filesystem.read("/workspace/empty") == b""

    (tmp_path / "up").write_bytes(every_byte)
    box.filesystem.upload(tmp_path / "up", "/workspace/dir/sub/up.bin")
    box.filesystem.download("/workspace/dir/sub/up.bin", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == every_byte

    entries = box.filesystem.listdir("/workspace")
    assert [(e.name, e.path, e.is_dir, e.size) for e in entries if not e.is_dir] == [
        ("empty", "/workspace/empty", False, 0),
        ("text.txt", "/workspace/text.txt", False, 8),
    ]
    assert [(e.name, e.mode) for e in entries if e.is_dir] == [("dir", "d")]
    assert entries[0].mtime > 1_700_000_000

    assert box.filesystem.stat("/workspace/text.txt").size == 8
    assert box.filesystem.stat("/workspace/dir").is_dir
    assert box.filesystem.exists("/workspace/text.txt")
    assert not box.filesystem.exists("/workspace/nothing")
    walked = {
        top: ([d.name for d in dirs], [f.name for f in files])
        for top, dirs, files in box.filesystem.walk("/workspace")
    }
    assert walked == {
        "/workspace": (["dir"], ["empty", "text.txt"]),
        "/workspace/dir": (["sub"], ["a b é.bin"]),
        "/workspace/dir/sub": ([], ["up.bin"]),
    }
    with pytest.raises(pandastack.NotFoundError):
        box.filesystem.read("/workspace/nothing")


def test_commands(box: pandastack.Sandbox) -> None:
    result = box.exec("echo out; echo err >&2; exit 3")
    assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 3)
    assert box.commands.run("printf '%s' a | tr a b").stdout == "b"
    assert box.exec("sleep 30", timeout_seconds=1).exit_code != 0
    with pytest.raises(pandastack.CommandFailed):
        box.exec("false", check=True)


def test_streamed_commands(box: pandastack.Sandbox) -> None:
    out: List[str] = []
    err: List[str] = []
    code = box.exec_stream(
        "for n in 1 2 3; do echo $n; sleep 0.05; done; echo late >&2; exit 4",
        on_stdout=out.append,
        on_stderr=err.append,
    )
    assert code == 4
    assert "".join(out) == "1\n2\n3\n"
    assert "".join(err) == "late\n"


def test_the_block_kills(client: pandastack.Client) -> None:
    with pandastack.Sandbox.create(template="base") as sandbox:
        assert sandbox.exec("true").exit_code == 0
    with pytest.raises(pandastack.NotFoundError):
        pandastack.Sandbox.get(sandbox.id)
