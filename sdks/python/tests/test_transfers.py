"""Uploads and downloads that are interrupted, at sizes that a test can afford."""

from __future__ import annotations

import asyncio
import os
import random
from functools import partial
from pathlib import Path
from typing import Any, List

import pytest
from fake_daemon import FakeDaemon

from sandport import (
    AsyncSandbox,
    LocalFileError,
    NetworkError,
    NotFoundError,
    PreconditionFailedError,
    Sandbox,
    TransferProgress,
    TransferRetry,
)
from sandport import _flow as flow
from sandport._transfers import download as downloads
from sandport._transfers import upload as uploads

PART = 100_000
CONTENT = random.Random(1).randbytes(5 * PART + 17)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", PART)
    monkeypatch.setattr(downloads, "RANGE_BYTES", PART)
    monkeypatch.setattr(flow, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(flow, "LONGEST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.write_bytes(CONTENT)
    return path


def parts_left(directory: Path) -> List[str]:
    return [name for name in os.listdir(directory) if name.endswith(".part")]


def test_uploads_in_parts(daemon: FakeDaemon, sandbox: Any, local: Path) -> None:
    told: List[TransferProgress] = []
    result = sandbox.files.upload(local, "/big ü", on_progress=told.append, preserve=True)
    assert daemon.files == {"/big ü": CONTENT}
    assert (result.path, result.bytes, result.size) == ("/big ü", len(CONTENT), len(CONTENT))
    assert [seen.method for seen in daemon.seen].count("PATCH") == 6
    assert told[-1] == TransferProgress(len(CONTENT), len(CONTENT), 1)
    assert [each.bytes for each in told] == sorted(each.bytes for each in told)
    assert daemon.uploads == {}


@pytest.mark.parametrize(
    "breaks", [[0], [1], [PART - 1], [5, 5, 5], [PART // 2] * 9], ids=lambda each: str(len(each))
)
def test_uploads_go_on_where_they_broke_off(
    daemon: FakeDaemon, sandbox: Any, local: Path, breaks: List[int]
) -> None:
    told: List[TransferProgress] = []
    daemon.breaks = list(breaks)
    sandbox.files.upload(local, "/big", on_progress=told.append)
    assert daemon.files == {"/big": CONTENT}
    assert daemon.breaks == []
    assert told[-1].bytes == len(CONTENT)


def test_tells_that_a_transfer_goes_on(
    daemon: FakeDaemon, sandbox: Any, local: Path, tmp_path: Path
) -> None:
    told: List[TransferRetry] = []
    daemon.breaks = [5, 5]
    sandbox.files.upload(local, "/big", on_retry=told.append)
    assert len(told) >= 2
    assert isinstance(told[0].error, NetworkError)
    assert told[0].delay_seconds > 0
    told.clear()
    daemon.files["/f"] = CONTENT[: PART // 2]
    daemon.breaks = [100]
    sandbox.files.download("/f", tmp_path / "out", on_retry=told.append)
    assert [each.error.code for each in told] == ["network_error"]


def test_what_a_retry_callback_raises_ends_the_transfer(
    daemon: FakeDaemon, sandbox: Any, local: Path, tmp_path: Path
) -> None:
    def enough(retry: TransferRetry) -> None:
        raise ValueError("enough")

    daemon.breaks = [5]
    with pytest.raises(ValueError, match="enough"):
        sandbox.files.upload(local, "/big", on_retry=enough)
    assert daemon.uploads == {}
    daemon.files["/f"] = CONTENT[: PART // 2]
    daemon.breaks = [100]
    with pytest.raises(ValueError, match="enough"):
        sandbox.files.download("/f", tmp_path / "out", on_retry=enough)
    assert os.listdir(tmp_path) == ["in"]


def test_a_lost_answer_to_the_last_part_is_no_error(
    daemon: FakeDaemon, sandbox: Any, local: Path
) -> None:
    """The upload is gone and the file is there: compared by digest."""

    def finish_behind_its_back() -> None:
        for key, upload in list(daemon.uploads.items()):
            if upload.size - len(upload.data) < PART:
                daemon.files[upload.path] = CONTENT
                del daemon.uploads[key]
                raise ConnectionError

    daemon.before_part = finish_behind_its_back
    assert sandbox.files.upload(local, "/big").size == len(CONTENT)
    assert daemon.files == {"/big": CONTENT}


def test_an_upload_that_vanished_is_an_error(daemon: FakeDaemon, sandbox: Any, local: Path) -> None:
    def vanish() -> None:
        daemon.uploads.clear()
        daemon.files["/big"] = b"something else"
        raise ConnectionError

    daemon.before_part = vanish
    with pytest.raises(NotFoundError) as caught:
        sandbox.files.upload(local, "/big")
    assert caught.value.code == "upload_not_found"


def test_a_local_file_that_changes_is_an_error(
    daemon: FakeDaemon, sandbox: Any, local: Path
) -> None:
    def change() -> None:
        with local.open("ab") as file:
            file.write(b"more")

    daemon.before_part = change
    with pytest.raises(LocalFileError, match="changed while it was sent") as caught:
        sandbox.files.upload(local, "/big")
    assert caught.value.code == "local_file"
    assert daemon.files == {}
    assert daemon.uploads == {}, "what had come was not given up"


def test_gives_up_in_the_end(
    daemon: FakeDaemon, sandbox: Any, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PATIENCE_SECONDS", 0.05)
    daemon.breaks = [0] * 10_000
    with pytest.raises(NetworkError):
        sandbox.files.upload(local, "/big")
    assert daemon.uploads == {}


def test_small_uploads_are_sent_again(daemon: FakeDaemon, sandbox: Any, tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 5000)
    daemon.breaks = [100, 200]
    assert sandbox.files.upload(tmp_path / "small", "/s").bytes == 5000
    assert daemon.files == {"/s": b"x" * 5000}
    daemon.breaks = [100]
    with pytest.raises(NetworkError):
        sandbox.files.upload(tmp_path / "small", "/t", if_none_match="*")


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, len(CONTENT)])
def test_downloads(daemon: FakeDaemon, sandbox: Any, tmp_path: Path, size: int) -> None:
    daemon.files["/f"] = CONTENT[:size]
    told: List[TransferProgress] = []
    sandbox.files.download("/f", tmp_path / "out", on_progress=told.append, verify=True)
    assert (tmp_path / "out").read_bytes() == CONTENT[:size]
    assert told[-1] == TransferProgress(size, size, 1)


@pytest.mark.parametrize("size", [PART // 2, len(CONTENT)])
def test_downloads_go_on_where_they_broke_off(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path, size: int
) -> None:
    daemon.files["/f"] = CONTENT[:size]
    daemon.breaks = [100, 1, 7000, 0, 16]
    sandbox.files.download("/f", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == CONTENT[:size]
    assert daemon.breaks == []


def test_a_download_is_never_a_mixture(daemon: FakeDaemon, sandbox: Any, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"old")
    for content, breaks in ((CONTENT[:5000], [100]), (CONTENT, [])):
        daemon.files["/f"] = content

        def change(content: bytes = content) -> None:
            daemon.files["/f"] = content[::-1]

        daemon.before_part = change
        daemon.breaks = list(breaks)
        with pytest.raises(PreconditionFailedError):
            sandbox.files.download("/f", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == b"old"
        assert parts_left(tmp_path) == []


def test_an_answer_that_is_no_range_is_refused(
    daemon: FakeDaemon, sandbox: Any, tmp_path: Path
) -> None:
    daemon.files["/f"] = CONTENT[:5000]
    daemon.breaks = [100]

    def ignore_the_range() -> None:
        daemon.instead.append(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + CONTENT[:5000])
        raise ConnectionError

    daemon.before_part = ignore_the_range
    with pytest.raises(Exception, match="not the range") as caught:
        sandbox.files.download("/f", tmp_path / "out")
    assert getattr(caught.value, "code", None) == "unexpected_answer"
    assert os.listdir(tmp_path) == []


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    loop.call_soon_threadsafe(task.cancel)


def test_cancelling_leaves_nothing(daemon: FakeDaemon, local: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await AsyncSandbox.create() as sandbox:
            daemon.files["/f"] = CONTENT
            loop = asyncio.get_running_loop()
            for work in (
                lambda: sandbox.files.upload(local, "/big"),
                lambda: sandbox.files.download("/f", tmp_path / "out"),
            ):
                task = loop.create_task(work())
                daemon.before_part = partial(_cancel, loop, task)
                with pytest.raises(asyncio.CancelledError):
                    await task
                daemon.before_part = None

    asyncio.run(scenario())
    assert daemon.uploads == {}
    assert "/big" not in daemon.files
    assert os.listdir(tmp_path) == ["in"]


def test_an_interrupt_leaves_nothing(
    daemon: FakeDaemon, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(progress: TransferProgress) -> None:
        if progress.bytes > PART:
            raise KeyboardInterrupt

    with Sandbox.create() as sandbox, pytest.raises(KeyboardInterrupt):
        sandbox.files.upload(local, "/big", on_progress=interrupt)
    assert daemon.uploads == {}


def test_reads_ranges(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.files["/f"] = b"0123456789"
    files = sandbox.files
    assert files.read("/f", start=2, end=5) == b"234"
    assert files.read_bytes("/f", start=7) == b"789"
    assert files.read("/f", end=2) == b"01"
    assert files.read("/f", last=3) == b"789"
    assert b"".join(files.stream("/f", last=4)) == b"6789"
    for wrong in ({"start": 3, "end": 3}, {"last": 0}, {"start": 1, "last": 1}, {"start": -1}):
        with pytest.raises(ValueError, match=r"."):
            files.read("/f", **wrong)


def test_reads_only_what_changed(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.files["/f"] = b"one"
    first = sandbox.files.read_if_changed("/f", '"other"')
    assert first.content == b"one"
    assert sandbox.files.read_if_changed("/f", first.etag) is None
    daemon.files["/f"] = b"two"
    assert sandbox.files.read_if_changed("/f", first.etag).content == b"two"
