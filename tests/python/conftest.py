from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator

import pytest
from running_daemon import REPOSITORY, DaemonNotStarted, RunningDaemon, start_daemon
from unmodified_clients import Clients

import sandport

# What the SDK's own tests make trees with serves here too.
sys.path.append(str(REPOSITORY / "sdks" / "python" / "tests"))

ISOLATIONS = ("container", "gvisor")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "daemon" in metafunc.fixturenames:
        given = "SANDPORT_URL" in os.environ and "SANDPORT_API_KEY" in os.environ
        params = ("given",) if given else ISOLATIONS
        metafunc.parametrize("daemon", params, indirect=True, scope="session")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Instead of pytest's own, which keeps the directories of the last runs."""
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        yield Path(directory)


class Daemons:
    """One daemon for each isolation, from the first test that needs it until the end."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._started: Dict[str, RunningDaemon] = {}

    def of(self, isolation: str) -> RunningDaemon:
        if isolation not in self._started:
            try:
                started = self._stack.enter_context(start_daemon(isolation))
            except DaemonNotStarted as error:
                if "isolation" in str(error) or "runsc" in str(error) or "runc" in str(error):
                    pytest.skip(f"{isolation} does not work on this machine: {error}")
                raise
            self._started[isolation] = started
        return self._started[isolation]


@pytest.fixture(scope="session")
def daemons() -> Iterator[Daemons]:
    """They outlive a change of the parameter: tests of several files come in any order."""
    with contextlib.ExitStack() as stack:
        yield Daemons(stack)


@pytest.fixture(scope="session")
def daemon(request: pytest.FixtureRequest, daemons: Daemons) -> RunningDaemon:
    """The daemon that SANDPORT_URL and SANDPORT_API_KEY name, or one for each isolation."""
    if request.param != "given":
        return daemons.of(request.param)
    url, key = os.environ["SANDPORT_URL"], os.environ["SANDPORT_API_KEY"]
    return RunningDaemon(url, key, isolation=_isolation_of(url, key))


def _isolation_of(url: str, key: str) -> str:
    with sandport.Sandbox.create(url=url, api_key=key) as sandbox:
        return sandbox.info.isolation


@pytest.fixture(autouse=True)
def _environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Clients in this process find the daemon by the environment, and nothing of the user's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    if "daemon" in request.fixturenames:
        daemon: RunningDaemon = request.getfixturevalue("daemon")
        monkeypatch.setenv("SANDPORT_URL", daemon.url)
        monkeypatch.setenv("SANDPORT_API_KEY", daemon.api_key)


@pytest.fixture
def sandbox(daemon: RunningDaemon) -> Iterator[sandport.Sandbox]:
    with sandport.Sandbox.create(workdir="/workspace") as made:
        assert made.info.isolation == daemon.isolation
        yield made


@pytest.fixture(params=["0.4", "1.0"])
def clients(
    request: pytest.FixtureRequest, daemon: RunningDaemon, tmp_path: Path
) -> Iterator[Clients]:
    found = Clients(request.param, daemon, tmp_path)
    yield found
    found.delete_claims()
