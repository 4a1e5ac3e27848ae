"""The file API of both clients against a real daemon."""

from __future__ import annotations

import asyncio
import os
import time
import urllib.request
from typing import Any, Iterator

import pytest
from blocking import Blocking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandport
from sandport import (
    ConflictError,
    FileWrite,
    NotFoundError,
    PreconditionFailedError,
    Sandbox,
    SandportError,
    WatchEvent,
)


@pytest.fixture(params=["sync", "async"])
def files(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Any]:
    """Files of a fresh sandbox, by either client."""
    if request.param == "sync":
        yield sandbox.files
        return
    loop = asyncio.new_event_loop()
    same = loop.run_until_complete(sandport.AsyncSandbox.get(sandbox.id))
    yield Blocking(loop, same.files)
    loop.run_until_complete(same.aclose())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_reading(files: Any) -> None:
    etag = files.write("/workspace/f", b"0123456789").etag
    assert files.read("/workspace/f", start=2, end=5) == b"234"
    assert files.read_bytes("/workspace/f", last=3) == b"789"
    assert b"".join(files.stream("/workspace/f", start=8)) == b"89"
    assert files.read("/workspace/f", start=5, end=1000) == b"56789"
    with pytest.raises(SandportError) as caught:
        files.read("/workspace/f", start=10)
    assert caught.value.code == "range_not_satisfiable"
    assert files.read_if_changed("/workspace/f", etag) is None
    assert files.stat("/workspace/f").etag == etag
    files.write("/workspace/f", b"other")
    assert files.read_if_changed("/workspace/f", etag).content == b"other"


def test_writing(files: Any, sandbox: Sandbox) -> None:
    path = "/workspace/new/f"
    first = files.write(path, b"one", mode=0o640, uid=0, gid=0, mtime=1_600_000_000.25, sync=True)
    entry = files.stat(path)
    assert (entry.permissions, entry.uid, entry.gid) == ("0640", 0, 0)
    assert (entry.mod_time, first.size) == (1_600_000_000.25, 3)
    added = files.write(path, b"two", append=True)
    assert (added.bytes, added.size) == (3, 6)
    files.write(path, iter([b"E"]), offset=2)
    assert files.read(path) == b"onEtwo"
    assert files.stat(path).permissions == "0640"
    with pytest.raises(PreconditionFailedError):
        files.write(path, b"x", if_none_match="*")
    with pytest.raises(PreconditionFailedError):
        files.write(path, b"x", if_match=first.etag)
    files.write(path, b"x", if_match=files.stat(path).etag)
    with pytest.raises(NotFoundError):
        files.write("/workspace/missing/f", b"", create_parents=False)


def test_entries(files: Any, sandbox: Sandbox) -> None:
    files.make_directory("/workspace/d/e", mode=0o700)
    files.write("/workspace/d/e/f.txt", b"hello")
    assert files.move("/workspace/d/e/f.txt", "/workspace/d/g.txt").path == "/workspace/d/g.txt"
    assert files.copy("/workspace/d", "/workspace/copy").type == "directory"
    with pytest.raises(ConflictError):
        files.copy("/workspace/d/g.txt", "/workspace/copy/g.txt")
    assert files.chmod("/workspace/copy", 0o750, recursive=True) == 3
    assert files.chown("/workspace/copy", "root", 0, recursive=True) == 3
    assert files.stat("/workspace/copy/g.txt").uid == 0
    assert files.symlink("/workspace/link", "d/g.txt").symlink_target == "d/g.txt"
    assert files.touch("/workspace/empty", mtime=1_500_000_000).mtime == 1_500_000_000
    with pytest.raises(NotFoundError):
        files.touch("/workspace/missing", create=False)
    usage = files.disk_usage("/workspace")
    assert (usage.files, usage.directories, usage.symlinks, usage.size_bytes) == (3, 4, 1, 10)
    names = [entry.path for entry in files.list("/workspace", recursive=True, type="file")]
    assert names == ["/workspace/copy/g.txt", "/workspace/d/g.txt", "/workspace/empty"]
    assert [entry.path for entry in files.entries("/workspace", depth=1)] == [
        "/workspace/copy",
        "/workspace/d",
        "/workspace/empty",
        "/workspace/link",
    ]
    assert [entry.path for entry in files.glob("d/*.txt", "/workspace")] == ["/workspace/d/g.txt"]
    sums = [entry.sha256 for entry in files.list("/workspace/d", type="file", checksum=True)]
    assert sums == ["2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"]


def test_listings_in_pages(files: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandport._async import file_entries as asynchronous
    from sandport._sync import file_entries as synchronous

    for module in (asynchronous, synchronous):
        monkeypatch.setattr(module, "PAGE_ENTRIES", 7)
    sandbox.exec("for i in $(seq 10); do mkdir d$i; touch d$i/a d$i/b; done", check=True)
    paths = [entry.path for entry in files.entries("/workspace")]
    assert len(paths) == 30
    assert paths == [entry.path for entry in files.list("/workspace", recursive=True)]


def test_search_and_replace(files: Any) -> None:
    files.write("/workspace/a.txt", "one\ntwo three\nfour\n")
    files.write("/workspace/b.bin", b"two\0")
    found = files.search("TWO", "/workspace", case_sensitive=False, context_lines=1)
    match = found.matches[0]
    assert (match.path, match.line, match.column) == ("/workspace/a.txt", 2, 1)
    assert (match.before, match.after) == (["one"], ["four"])
    assert (len(found.matches), found.files_skipped.binary) == (1, 1)
    done = files.replace(r"(\w+) three", "$1 $1", "/workspace", regex=True)
    assert (done.files_changed, done.files[0].replacements) == (1, 1)
    assert files.read_text("/workspace/a.txt") == "one\ntwo two\nfour\n"
    with pytest.raises(SandportError) as caught:
        files.search("(", "/workspace", regex=True)
    assert caught.value.code == "invalid_pattern"


def test_many_at_once(files: Any) -> None:
    given = [(f"/workspace/many/{index}", os.urandom(index)) for index in range(300)]
    results = files.write_files([*given, ("/proc/no", "x")])
    assert [result.ok for result in results] == [True] * 300 + [False]
    assert results[-1].error.path == "/proc/no"
    files.write_files([FileWrite("/workspace/x", "text", mode=0o755, mtime=1.5)])
    back = files.read_files([*(path for path, _ in given), "/workspace/x", "/workspace/none"])
    assert [result.content for result in back[:300]] == [content for _, content in given]
    assert (back[300].permissions, back[300].mod_time, back[300].content) == ("0755", 1.5, b"text")
    assert back[301].error.code == "file_not_found"
    for call in (
        lambda: files.read_files(["/workspace/x", "/workspace/none"], mode="all"),
        lambda: files.write_files([("/workspace/y", "y"), ("/proc/no", "x")], mode="all"),
    ):
        with pytest.raises(ConflictError) as caught:
            call()
        assert caught.value.code == "batch_failed"
    assert not files.exists("/workspace/y")
    assert all(each.ok for each in files.remove_files(["/workspace/many", "/workspace/none"]))
    assert not files.exists("/workspace/many")


def test_watching(files: Any) -> None:
    files.make_directory("/workspace/watched/d")
    with files.watch("/workspace/watched") as events:
        files.write("/workspace/watched/a", b"1")
        files.make_directory("/workspace/watched/new/deep")
        files.write("/workspace/watched/d/b", b"2")
        files.move("/workspace/watched/d/b", "/workspace/watched/d/c")
        files.remove("/workspace/watched/a")
        seen = []
        for event in events:
            seen.append(event)
            if event.type == "removed":
                break
    at = "/workspace/watched/"
    assert WatchEvent("renamed", at + "d/c", "file", at + "d/b") in seen
    assert {event.path for event in seen if event.type == "created"} >= {at + "a", at + "new"}
    with pytest.raises(NotFoundError), files.watch("/workspace/none"):
        pass


def test_changes(files: Any) -> None:
    files.write("/workspace/added", b"12345")
    files.remove("/etc/passwd")
    found = {change.path: change for change in files.changes()}
    assert (found["/workspace/added"].change, found["/workspace/added"].size) == ("added", 5)
    assert found["/etc/passwd"].change == "deleted"
    assert [change.path for change in files.changes("/workspace")] == ["/workspace/added"]


def test_links(files: Any) -> None:
    files.write("/workspace/shared", b"for everybody")
    link = files.create_link("/workspace/shared", expires_in=60)
    assert 0 < link.expires_at - time.time() <= 61
    with urllib.request.urlopen(link.url) as answer:
        assert answer.read() == b"for everybody"
    (listed,) = files.list_links()
    assert (listed.id, listed.url, listed.path) == (link.id, None, "/workspace/shared")
    files.revoke_link(link.id)
    with pytest.raises(NotFoundError) as caught:
        files.revoke_link(link.id)
    assert caught.value.code == "link_not_found"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.url)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=5000), extra=st.binary(max_size=50))
def test_any_bytes(sandbox: Sandbox, content: bytes, extra: bytes) -> None:
    path = "/workspace/any"
    sandbox.files.write(path, content)
    sandbox.files.write(path, extra, append=True)
    whole = content + extra
    assert sandbox.files.read(path) == whole
    if len(whole) > 1:
        middle = len(whole) // 2
        assert sandbox.files.read(path, start=middle) == whole[middle:]
        assert sandbox.files.read(path, end=middle) == whole[:middle]
