"""Transfers and commands while the daemon is killed and comes back."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest
from running_daemon import DaemonNotStarted, OwnDaemon

from sandport import Sandbox, TransferProgress

MIB = 2**20
SIZE = 200 * MIB


@pytest.fixture(scope="module")
def own() -> Iterator[OwnDaemon]:
    if "SANDPORT_URL" in os.environ:
        pytest.skip("the daemon that the environment names is not ours to kill")
    try:
        with OwnDaemon("container") as daemon:
            yield daemon
    except DaemonNotStarted as error:
        if "isolation" in str(error) or "runc" in str(error):
            pytest.skip(f"container does not work on this machine: {error}")
        raise


class KillOnce:
    """Kills the daemon when a transfer has come so far, and starts it again a little later."""

    def __init__(self, daemon: OwnDaemon, at_bytes: int) -> None:
        self._daemon = daemon
        self._at_bytes = at_bytes
        self.thread = threading.Thread(target=self._restart)

    def __call__(self, progress: TransferProgress) -> None:
        if progress.bytes >= self._at_bytes and self.thread.ident is None:
            self._daemon.kill()
            self.thread.start()

    def _restart(self) -> None:
        time.sleep(0.5)
        self._daemon.start_again()


def test_transfers_survive_a_restart(own: OwnDaemon, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(random.randbytes(MIB))
    at = own.running
    with Sandbox.create(url=at.url, api_key=at.api_key) as sandbox:
        kill = KillOnce(own, 100 * MIB)
        sandbox.files.upload(tmp_path / "large", "/workspace/large", on_progress=kill)
        kill.thread.join()
        kill = KillOnce(own, 50 * MIB)
        sandbox.files.download("/workspace/large", tmp_path / "back", verify=True, on_progress=kill)
        kill.thread.join()
        assert (tmp_path / "back").stat().st_size == SIZE
        assert [entry.name for entry in sandbox.files.list("/workspace")] == ["large"]


def test_background_commands_survive_a_restart(own: OwnDaemon) -> None:
    at = own.running
    with Sandbox.create(url=at.url, api_key=at.api_key) as sandbox:
        script = "echo one; read word; echo $word; read word; echo $word"
        command = sandbox.commands.run(script, stdin=True, background=True)
        pieces = iter(command)
        assert next(pieces).text == "one\n"
        own.kill()
        restart = threading.Thread(target=own.start_again)
        restart.start()
        waiting = threading.Thread(target=lambda: (restart.join(), command.send_stdin("two\n")))
        waiting.start()
        assert next(pieces).text == "two\n"
        waiting.join()
        command.send_stdin("three\n")
        assert "".join(piece.text for piece in pieces) == "three\n"
        assert command.wait().ok
        assert sandbox.commands.list()[0].output().data == b"one\ntwo\nthree\n"
