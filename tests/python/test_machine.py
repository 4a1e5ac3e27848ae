"""Templates, pools, quotas and keys, with the real daemon; and all of it asynchronously."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import List

import pytest
from running_daemon import RunningDaemon

import sandport
from sandport import AsyncClient, AsyncSandbox, BranchOutcome, Candidate, Client, Sandbox

#: Rules that are none: ports, names of other alphabets, wildcards, networks with bits behind their
#: prefix, IPv6, and one that is there already.
BAD_RULES = [
    "exa mple",
    "a.test:0",
    "a.test:70000",
    "münchen.de",
    "*",
    "*.com",
    "a.*.com",
    "10.0.0.1/8",
    "0.0.0.0/0",
    "127.0.0.1",
    "2001:db8::1",
    "GOOD.test",
]


def test_a_template_is_built_of_a_sandbox(sandbox: Sandbox) -> None:
    templates = Client().templates
    sandbox.files.write("/workspace/baked", "in")
    lines: List[str] = []
    template = templates.build("python-baked", from_sandbox=sandbox, on_log=lines.append)
    assert (template.name, template.status, template.removable) == ("python-baked", "ready", True)
    assert lines
    build = templates.builds("python-baked")[0]
    assert templates.get_build(build.id).status == "done"
    log = templates.build_logs(build.id)
    assert log.template is None
    assert list(log) == lines
    assert log.template == template
    with pytest.raises(sandport.ConflictError) as exists:
        templates.build("python-baked", from_sandbox=sandbox.id)
    assert exists.value.code == "template_exists"
    with Sandbox.create("python-baked") as made:
        templates.delete("python-baked")
        assert made.files.read("/workspace/baked") == b"in"
    assert "python-baked" not in [each.name for each in templates.list()]


def test_what_is_no_image_is_refused_with_a_reason(daemon: RunningDaemon, tmp_path: Path) -> None:
    templates = Client().templates
    (tmp_path / "image.tar").write_bytes(b"no archive" * 1000)
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "oci-layout").write_text("{}")
    for source in ("image.tar", "layout"):
        with pytest.raises(sandport.SandportError) as bad:
            templates.build("python-bad", archive_file=tmp_path / source)
        assert bad.value.code in ("invalid_image", "tool_missing")
    with pytest.raises(sandport.NotFoundError):
        templates.get("python-bad")


def test_pools_quotas_and_keys(daemon: RunningDaemon) -> None:
    client = Client()
    assert client.pools.set("base", 0).size == 0
    assert client.pools.get("base").ready == 0
    client.pools.delete("base")
    with pytest.raises(sandport.NotFoundError):
        client.pools.get("base")

    quota = client.quotas.set("python-team", max_sandboxes=0)
    assert (quota.max_sandboxes, quota.max_memory_mb) == (0, None)
    assert client.quotas.get("python-team") == quota
    with pytest.raises(sandport.LimitError):
        Sandbox.create(namespace="python-team")
    assert client.quotas.set("python-team").max_sandboxes is None

    key = client.keys.create("for a test", namespaces=["python-team"])
    assert key.api_key is not None
    assert key.api_key not in repr(key)
    narrow = Client(daemon.url, key.api_key)
    with pytest.raises(sandport.AuthError) as forbidden:
        narrow.pools.set("base", 1)
    assert forbidden.value.code == "forbidden"
    assert narrow.volumes.list() == []
    assert key.id in [each.id for each in client.keys.list()]
    client.keys.delete(key.id)
    with pytest.raises(sandport.AuthError):
        narrow.volumes.list()


#: No one has the other half of it.
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 42 + "E me@here"


def test_ssh(daemon: RunningDaemon) -> None:
    client = Client()
    place = client.ssh()
    assert place.port > 0
    assert place.host_key.startswith("ssh-ed25519 ")
    assert place.fingerprint.startswith("SHA256:")

    key = client.ssh_keys.create(PUBLIC_KEY)
    assert (key.label, key.type) == ("me@here", "ssh-ed25519")
    assert PUBLIC_KEY.startswith(key.public_key)
    assert client.ssh_keys.create(PUBLIC_KEY, label="again") == key
    assert client.ssh_keys.list() == [key]

    async def the_same() -> None:
        async with AsyncClient() as twin:
            assert await twin.ssh() == place
            assert await twin.ssh_keys.list() == [key]
            await twin.ssh_keys.delete(key.id)
            assert await twin.ssh_keys.create(PUBLIC_KEY, label="twin") != key

    asyncio.run(the_same())
    (twin,) = client.ssh_keys.list()
    client.ssh_keys.delete(twin.id)
    with pytest.raises(sandport.NotFoundError) as gone:
        client.ssh_keys.delete(twin.id)
    assert gone.value.code == "ssh_key_not_found"
    with pytest.raises(sandport.BadRequestError):
        client.ssh_keys.create("no key")


def test_networks_of_namespaces(daemon: RunningDaemon) -> None:
    client = Client()
    networks = client.namespace_networks
    bound = networks.set("python-net", max_egress="allowlist", max_allow=["*.a.test"])
    assert networks.get("python-net") == bound
    assert (bound.max_egress, bound.max_allow) == ("allowlist", ("*.a.test",))
    with pytest.raises(sandport.AuthError, match=r"rule .b\.test.") as beyond:
        Sandbox.create(namespace="python-net", network={"egress": "allowlist", "allow": ["b.test"]})
    assert beyond.value.code == "network_beyond_bound"
    key = client.keys.create("for a test", namespaces=["python-net"])
    with pytest.raises(sandport.AuthError):
        Client(daemon.url, key.api_key).namespace_networks.set("python-net")
    client.keys.delete(key.id)
    assert networks.set("python-net").max_egress == "all"


@pytest.mark.parametrize("rule", BAD_RULES)
def test_the_error_of_a_rule_names_it(daemon: RunningDaemon, rule: str) -> None:
    network = sandport.Network("allowlist", ["good.test", rule])
    for refused in (
        lambda: Sandbox.create(network=network),
        lambda: Client().namespace_networks.set("python-net", default=network),
        lambda: Client().templates.start_build("python-net", image="x", network=network),
    ):
        with pytest.raises(sandport.BadRequestError, match=re.escape(rule)) as error:
            refused()
        assert error.value.code == "invalid_request"


def test_the_same_asynchronously(daemon: RunningDaemon) -> None:
    async def use() -> None:
        async with AsyncClient() as client, await AsyncSandbox.create() as sandbox:
            assert await client.version()
            assert (await sandbox.pause()).status == "paused"
            assert (await sandbox.resume()).status == "running"
            await sandbox.hibernate()
            assert (await sandbox.commands.run("true")).woke in ("memory", "disk")
            snapshot = await sandbox.snapshot(memory=False)
            assert [each.id for each in await sandbox.snapshots()] == [snapshot.id]
            await sandbox.restore(snapshot)
            await client.snapshots.delete(snapshot)

            tree = await sandbox.fork_tree(2, memory=False)
            await tree[0].promote(cleanup_siblings=True)
            await tree[0].kill()

            async def tries(box: AsyncSandbox) -> str:
                await box.files.write("/workspace/out", "x")
                return "done"

            async def score(box: AsyncSandbox, outcome: BranchOutcome[AsyncSandbox]) -> float:
                return 1.0 if await box.files.exists("/workspace/out") else 0.0

            result = await sandbox.explore(
                ["true", Candidate("function", fn=tries)], score_fn=score, memory=False
            )
            assert result.winner_outcome.value == "done"
            await result.winner.kill()

            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(sandbox.explore(["sleep 60"], memory=False), 1)
            assert await AsyncSandbox.list(metadata={"explore": "1"}) == []

            volume = await client.volumes.create("python-async")
            await volume.files.write("/a", "x")
            assert await volume.files.read("/a") == b"x"
            await volume.delete()
            template = await client.templates.build("python-async", from_sandbox=sandbox)
            await client.templates.delete(template.name)

            events = sandbox.follow_events()
            first = asyncio.ensure_future(events.__anext__())
            await asyncio.sleep(0.2)
            await sandbox.set_ttl(1000)
            assert (await first).type == "changed"
            await events.aclose()

    asyncio.run(use())
