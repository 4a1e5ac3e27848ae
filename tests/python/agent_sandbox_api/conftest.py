from __future__ import annotations

import asyncio
from typing import Any, Callable, Iterator, List

import pytest
from running_daemon import RunningDaemon
from twins import Waiting

from sandport.agent_sandbox import AsyncSandboxClient, SandboxClient
from sandport.agent_sandbox.models import SandboxInClusterConnectionConfig


@pytest.fixture(params=["sync", "async"])
def new_client(request: pytest.FixtureRequest, daemon: RunningDaemon) -> Iterator[Any]:
    """Makes clients of either kind; what they make goes at the end."""
    made: List[Any] = []
    loop = asyncio.new_event_loop()

    def make() -> Any:
        if request.param == "sync":
            made.append(SandboxClient())
        else:
            config = SandboxInClusterConnectionConfig()
            asynchronous = AsyncSandboxClient(config, cleanup=False)
            made.append(Waiting(loop, asynchronous))
        return made[-1]

    yield make
    for client in made:
        client.delete_all()
        if request.param == "async":
            client.close()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def client(new_client: Callable[[], Any]) -> Any:
    return new_client()


@pytest.fixture
def box(client: Any) -> Any:
    return client.create_sandbox("python-sandbox-template")
