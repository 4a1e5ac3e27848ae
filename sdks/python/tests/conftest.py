from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Iterator

import pytest
from blocking import Blocking
from fake_daemon import API_KEY, FakeDaemon
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

import sandport
from sandport._async import transport as async_transport
from sandport._async.transport import AsyncTransport
from sandport._sync import transport as sync_transport

# Wherever the tests are started: not in the directory of the caller.
set_hypothesis_home_dir(Path(__file__).parent / ".hypothesis")
# A busy machine is no failure.
settings.register_profile("sandport", deadline=None)
settings.load_profile("sandport")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Instead of pytest's own, which keeps the directories of the last runs."""
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        yield Path(directory)


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that the environment names."""
    fake = FakeDaemon()
    fake.start()
    monkeypatch.setenv("SANDPORT_URL", fake.url)
    monkeypatch.setenv("SANDPORT_API_KEY", API_KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    for transport in (sync_transport, async_transport):
        monkeypatch.setattr(transport, "RETRY_DELAYS", (0.01, 0.01))
    yield fake
    fake.stop()


@pytest.fixture(params=["sync", "async"])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``api.Sandbox``, ``api.SandboxClient`` and ``api.Client``, of either kind."""

    class Api:
        Sandbox: Any = sandport.Sandbox
        SandboxClient: Any = sandport.SandboxClient
        Client: Any = sandport.Client

    if request.param == "sync":
        yield Api
        return
    loop = asyncio.new_event_loop()
    opened: set[AsyncTransport] = set()
    open_client = AsyncTransport._opened

    def remember(transport: AsyncTransport) -> Any:
        opened.add(transport)
        return open_client(transport)

    monkeypatch.setattr(AsyncTransport, "_opened", remember)

    class AsyncApi:
        Sandbox = Blocking(loop, sandport.AsyncSandbox)
        SandboxClient = Blocking(loop, sandport.AsyncSandboxClient)
        Client = Blocking(loop, sandport.AsyncClient)

    yield AsyncApi
    for transport in opened:
        loop.run_until_complete(transport.aclose())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def sandbox(daemon: FakeDaemon, api: Any) -> Iterator[Any]:
    with api.Sandbox.create() as made:
        yield made
