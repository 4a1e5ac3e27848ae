"""Claims and handles of `sandport.agent_sandbox`, and of its asynchronous twin."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable

import pytest
from running_daemon import RunningDaemon
from twins import native, raised

import sandport
from sandport.agent_sandbox import (
    AsyncSandboxClient,
    SandboxApiError,
    SandboxClaimFailedError,
    SandboxClient,
    SandboxError,
    SandboxMetadataError,
    SandboxNotFoundError,
    SandboxTemplateNotFoundError,
    SandboxWarmPoolNotFoundError,
)
from sandport.agent_sandbox.async_sandbox import AsyncSandbox
from sandport.agent_sandbox.models import (
    SandboxInClusterConnectionConfig,
)
from sandport.agent_sandbox.sandbox import Sandbox


@pytest.mark.parametrize(
    "source",
    [
        {"template": "python-sandbox-template"},
        {"template": "base", "warmpool": "default"},
        {"warmpool": "python-sandbox-pool"},
        {"warmpool": "python-sandbox-warmpool"},
        {"warmpool": "shadow-pool-base"},
        {"warmpool": "base"},
    ],
)
def test_what_sandboxes_are_made_from(client: Any, source: Any) -> None:
    box = client.create_sandbox(**source)
    assert native(box).info.template == "base"
    # The first of both gives the name.
    name = next(iter(source.values()))
    assert client.get_sandbox_claim_warmpool_name(box.claim_name, "default") == name


def test_what_does_not_exist(client: Any) -> None:
    before = len(sandport.Sandbox.list())
    for first in ({"template": "nothing"}, {"warmpool": "nothing"}):
        error = raised(SandboxError, client.create_sandbox, **first)
        assert "'nothing'" in str(error)
        assert "python-sandbox-template" in str(error)
        assert isinstance(error, SandboxWarmPoolNotFoundError)
        assert isinstance(error, SandboxTemplateNotFoundError) == ("template" in first)
    raised(SandboxWarmPoolNotFoundError, client.create_sandbox, warmpool="shadow-pool-no")
    assert len(sandport.Sandbox.list()) == before


def test_a_handle(client: Any) -> None:
    box = client.create_sandbox(
        "base", "tests", 60, {"app": "a"}, shutdown_after_seconds=900, env={"GREETING": "hello"}
    )
    assert box.claim_name.startswith("sandbox-claim-")
    assert box.sandbox_id == box.claim_name == box.get_pod_name()
    assert box.namespace == "tests"
    assert box.is_active
    assert box.status()[0] == "SandboxReady"
    assert box.get_pod_ip() is None
    assert len(box.get_sandbox_name_hash()) == 8
    assert box.connector.connect().startswith("http")
    assert box.commands.run("echo $GREETING").stdout == "hello\n"
    info = sandport.Sandbox.list(namespace="tests")[0].info
    assert (info.ttl_seconds, info.metadata["app"]) == (900, "a")
    assert client.list_active_sandboxes() == [("tests", box.claim_name)]
    name = box.claim_name
    box.close_connection()
    assert (box.files, box.commands, box.is_active) == (None, None, False)
    assert box.status()[0] == "SandboxReady"
    assert client.list_active_sandboxes() == []
    again = client.get_sandbox(name, "tests")
    assert again.commands.run("true").exit_code == 0
    raised(SandboxNotFoundError, client.get_sandbox, name)
    again.terminate()
    again.terminate()
    assert again.claim_name is None
    assert again.status()[0] == "SandboxNotFound"
    assert client.list_all_sandboxes("tests") == []


def test_names(client: Any, new_client: Callable[[], Any]) -> None:
    long = "a.long.name-" + "x" * 100
    for name in ("plain-name", "with.dots", long):
        box = client.create_sandbox("base", claim_name=name)
        assert box.claim_name == name
        assert len(box.sandbox_id) <= 63
        error = raised(SandboxApiError, client.create_sandbox, "base", claim_name=name)
        assert (error.status, error.reason, error.code) == (409, "Conflict", "name_taken")
        adopted = client.create_sandbox("base", claim_name=name, adopt_existing=True)
        assert adopted == box
        box.files.write("f", name)
        other = new_client().create_sandbox("base", claim_name=name, adopt_existing=True)
        assert other.files.read("f").decode() == name
        raised(
            ValueError,
            client.create_sandbox,
            "code-interpreter",
            claim_name=name,
            adopt_existing=True,
        )
    assert sorted(client.list_all_sandboxes()) == sorted(["plain-name", "with.dots", long])
    # The same in another namespace is another one.
    there = client.create_sandbox("base", "tests", claim_name="plain-name")
    assert not there.files.exists("f")
    assert client.get_sandbox("plain-name").files.exists("f")
    assert not new_client().get_sandbox("plain-name", "tests").files.exists("f")
    client.delete_sandbox("plain-name", "tests")
    assert client.get_sandbox("plain-name").files.exists("f")


def test_a_context_manager_deletes_what_has_no_name_of_the_caller(
    new_client: Callable[[], Any],
) -> None:
    with new_client() as client:
        kept = client.create_sandbox("base", claim_name="kept")
        client.create_sandbox("base")
        assert len(client.list_all_sandboxes()) == 2
    assert not kept.is_active
    after = new_client()
    assert after.list_all_sandboxes() == ["kept"]
    after.delete_sandbox("kept")
    assert after.list_all_sandboxes() == []
    after.delete_sandbox("kept")


def test_volumes_go_with_the_sandbox(client: Any) -> None:
    template = {
        "metadata": {"name": "data"},
        "spec": {"resources": {"requests": {"storage": "64Mi"}}},
    }
    box = client.create_sandbox("base", volume_claim_templates=[template])
    name = f"data-{box.sandbox_id}"
    assert box.commands.run("echo x > /mnt/data/f").exit_code == 0
    assert sandport.Client().volumes.get(name).info.size_mb == 64
    box.terminate()
    assert name not in [volume.name for volume in sandport.Client().volumes.list()]


def test_sandboxes_of_the_native_api(client: Any) -> None:
    with sandport.Sandbox.create(name="native") as made:
        made.filesystem.write("/home/user/f", "x")
        box = client.get_sandbox("native")
        assert box.files.read("f") == b"x"
        assert "native" not in client.list_all_sandboxes()
        raised(SandboxMetadataError, client.get_sandbox_claim_warmpool_name, "native", "default")
        raised(ValueError, client.create_sandbox, "base", claim_name="native", adopt_existing=True)
        box.close_connection()
    raised(SandboxNotFoundError, client.get_sandbox_claim_warmpool_name, "native", "default")


def test_the_timeout_of_a_create(client: Any) -> None:
    before = {box.id for box in sandport.Sandbox.list()}
    raised(TimeoutError, client.create_sandbox, "base", sandbox_ready_timeout=0.001)
    deadline = time.monotonic() + 10
    while {box.id for box in sandport.Sandbox.list()} - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert {box.id for box in sandport.Sandbox.list()} <= before


def test_refusals(client: Any) -> None:
    error = raised(SandboxApiError, client.create_sandbox, "base", "No_Namespace")
    assert error.status == 400
    error = raised(SandboxApiError, client.list_all_sandboxes, label_selector="a=b=c")
    assert error.status == 400
    too_large = {
        "metadata": {"name": "d"},
        "spec": {"resources": {"requests": {"storage": "9000Ti"}}},
    }
    raised(SandboxError, client.create_sandbox, "base", volume_claim_templates=[too_large])
    assert issubclass(SandboxClaimFailedError, SandboxError)


def test_a_sandbox_that_is_gone(box: Any) -> None:
    native(box).kill()
    for _ in range(2):
        for call in (lambda: box.files.read("f"), lambda: box.commands.run("true")):
            error = raised(SandboxError, call)
            assert isinstance(error, SandboxNotFoundError) or error.status_code == 502
    assert box.status()[0] == "SandboxNotFound"
    assert box.get_pod_ip() is None
    box.terminate()


def test_a_hibernated_sandbox_is_woken(box: Any) -> None:
    box.files.write("f", "x")
    native(box).hibernate()
    assert box.status()[0] == "SandboxReady"
    assert box.commands.run("cat f").stdout == "x"


def test_handles_that_no_client_made(client: Any) -> None:
    made = client.create_sandbox("base", "tests")
    name = made.claim_name
    box = Sandbox(claim_name=name, sandbox_id=made.sandbox_id, namespace="tests")
    assert box.commands is not None
    assert box.commands.run("echo x").stdout == "x\n"

    async def asynchronously() -> str:
        config = SandboxInClusterConnectionConfig()
        other = AsyncSandbox(name, made.sandbox_id, "tests", connection_config=config)
        assert other.commands is not None
        result = await other.commands.run("echo y")
        await other.terminate()
        return result.stdout

    assert asyncio.run(asynchronously()) == "y\n"
    assert box.status()[0] == "SandboxNotFound"


def test_subclasses_of_handles(daemon: RunningDaemon) -> None:
    class Shouting(Sandbox):
        def shout(self, text: str) -> str:
            assert self.commands is not None
            return self.commands.run(f"echo {text} | tr a-z A-Z").stdout

    class ShoutingClient(SandboxClient[Shouting]):
        sandbox_class = Shouting

    with ShoutingClient() as client:
        assert client.create_sandbox("base").shout("hello") == "HELLO\n"


def test_the_asynchronous_client_checks_what_it_finds(daemon: RunningDaemon) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="connection_config"):
            AsyncSandboxClient()
        config = SandboxInClusterConnectionConfig()
        async with AsyncSandboxClient(config) as client:
            box = await client.create_sandbox("base")
            assert box.claim_name is not None
            assert await client.get_sandbox(box.claim_name, warmpool_name="base") is box
            with pytest.raises(ValueError, match="was claimed from 'base'"):
                await client.get_sandbox(box.claim_name, warmpool_name="other")

    asyncio.run(main())


def test_a_create_that_is_cancelled_leaves_nothing(daemon: RunningDaemon) -> None:
    async def main() -> None:
        config = SandboxInClusterConnectionConfig()
        async with AsyncSandboxClient(config) as client:
            task = asyncio.ensure_future(client.create_sandbox("base", "cancelled"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    deadline = time.monotonic() + 10
    while sandport.Sandbox.list(namespace="cancelled") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sandport.Sandbox.list(namespace="cancelled") == []
