"""States, forks, snapshots and lifetimes of sandboxes, with the real daemon."""

from __future__ import annotations

import time
from typing import Callable, List

import pytest
from running_daemon import RunningDaemon

import sandport
from sandport import BranchOutcome, Candidate, ClientSandbox, Sandbox, SandboxClient

# Counts in a variable of its own, so that only its memory knows how far it is.
COUNTER = """
import time
n = 0
log = open("/workspace/counted", "w")
while True:
    n += 1
    log.write(f"{n}\\n")
    log.flush()
    time.sleep(0.02)
"""


def start_counter(sandbox: Sandbox) -> None:
    sandbox.files.write("/workspace/counter.py", COUNTER)
    sandbox.commands.run("nohup python3 /workspace/counter.py >/dev/null 2>&1 &", check=True)
    wait_for(lambda: len(counted(sandbox)) >= 3)


def counted(sandbox: Sandbox) -> List[int]:
    if not sandbox.files.exists("/workspace/counted"):
        return []
    return [int(line) for line in sandbox.files.read_text("/workspace/counted").splitlines()]


def wait_for(done: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def test_pause_and_resume(sandbox: Sandbox) -> None:
    sandbox.files.write("/workspace/kept", "kept")
    assert sandbox.pause().status == sandbox.pause().status == sandbox.status == "paused"
    assert sandbox.files.read("/workspace/kept") == b"kept"
    with pytest.raises(sandport.ConflictError) as caught:
        sandbox.commands.run("true")
    assert caught.value.code == "invalid_state"
    assert sandbox.resume().status == sandbox.resume().status == "running"
    assert sandbox.commands.run("cat /workspace/kept").stdout == "kept"


def test_hibernation_keeps_what_the_isolation_can(sandbox: Sandbox) -> None:
    start_counter(sandbox)
    info = sandbox.hibernate()
    with_memory = info.isolation == "gvisor"
    assert (info.status, info.memory) == ("hibernated", with_memory)
    before = counted(sandbox)  # A read does not wake it.
    assert sandbox.refresh().status == "hibernated"
    time.sleep(0.1)
    assert counted(sandbox) == before
    result = sandbox.wake()
    assert (result.woken, result.memory) == (True, with_memory)
    assert (result.info.status, result.info.memory) == ("running", None)
    assert not sandbox.wake().woken
    if with_memory:
        wait_for(lambda: len(counted(sandbox)) > len(before) + 2)
        numbers = counted(sandbox)
        assert numbers == list(range(1, len(numbers) + 1))
    else:
        assert counted(sandbox) == before


def test_commands_and_writes_wake_and_say_so(sandbox: Sandbox) -> None:
    how = "memory" if sandbox.info.isolation == "gvisor" else "disk"
    assert sandbox.commands.run("true").woke is None
    sandbox.hibernate()
    assert sandbox.commands.run("true").woke == how
    sandbox.hibernate()
    streamed = sandbox.commands.run("echo hi", on_stdout=lambda _text: None)
    assert (streamed.stdout, streamed.woke) == ("hi\n", how)
    sandbox.hibernate()
    assert sandbox.files.write("/workspace/new", "x").woke == how
    assert sandbox.files.write("/workspace/new", "x").woke is None


def test_forks_are_independent(sandbox: Sandbox) -> None:
    start_counter(sandbox)
    sandbox.update(metadata={"who": "parent", "kept": "yes"})
    with sandbox.fork({"who": "child"}) as child:
        assert child.info.parent_id == sandbox.id
        assert child.info.metadata["kept"] == "yes"
        assert child.info.metadata["who"] == "child"
        at_fork = len(counted(child))
        assert at_fork >= 3
        child.files.write("/workspace/of-child", "x")
        assert not sandbox.files.exists("/workspace/of-child")
        parent_count = len(counted(sandbox))
        wait_for(lambda: len(counted(sandbox)) > parent_count)
        if sandbox.info.isolation == "gvisor":
            wait_for(lambda: len(counted(child)) > at_fork)
            numbers = counted(child)
            assert numbers == list(range(1, len(numbers) + 1))
    with pytest.raises(sandport.BadRequestError):
        sandbox.fork_tree(17)
    if sandbox.info.isolation == "container":
        with pytest.raises(sandport.BadRequestError) as caught:
            sandbox.fork(memory=True)
        assert caught.value.code == "memory_unavailable"
    sandbox.hibernate()
    with sandbox.fork() as late:
        assert late.status == "running"
        assert counted(late)
        assert sandbox.refresh().status == "hibernated"


def test_fork_tree_and_promote(sandbox: Sandbox) -> None:
    tree = sandbox.fork_tree(3, {"try": "this"}, memory=False)
    assert (len(tree), tree.memory, tree.errors) == (3, False, [])
    assert {child.info.metadata["fork_tree_id"] for child in tree} == {tree.tree_id}
    kept, *others = tree
    result = kept.promote(cleanup_siblings=True)
    assert result.winner == kept.id
    assert sorted(result.deleted) == sorted(child.id for child in others)
    with pytest.raises(sandport.NotFoundError):
        others[0].refresh()
    assert kept.refresh().status == "running"
    kept.kill()
    assert kept.status == "deleted"


def test_a_client_keeps_track_of_forks(daemon: RunningDaemon) -> None:
    with SandboxClient() as client:
        child = client.create_sandbox().fork(memory=False)
        assert isinstance(child, ClientSandbox)
        child.files.write("relative.txt", "x")
        assert child.files.read("/home/user/relative.txt") == b"x"
        assert len(client.list_active_sandboxes()) == 2
    with pytest.raises(sandport.NotFoundError):
        child.refresh()


def test_snapshots_outlive_their_sandbox(daemon: RunningDaemon) -> None:
    client = sandport.Client()
    with Sandbox.create() as sandbox:
        sandbox.files.write("/workspace/state", "one")
        snapshot = sandbox.snapshot("python-state", memory=False, metadata={"step": "1"})
        assert (snapshot.name, snapshot.memory, snapshot.metadata) == (
            "python-state",
            False,
            {"step": "1"},
        )
        with pytest.raises(sandport.ConflictError) as taken:
            sandbox.snapshot("python-state")
        assert taken.value.code == "name_taken"
        sandbox.files.write("/workspace/state", "two")
        assert sandbox.restore("python-state").info.id == sandbox.id
        assert sandbox.files.read("/workspace/state") == b"one"
        assert [each.id for each in sandbox.snapshots()] == [snapshot.id]
        with pytest.raises(sandport.NotFoundError) as missing:
            sandbox.restore("no-such-snapshot")
        assert missing.value.code == "snapshot_not_found"
    assert client.snapshots.list(sandbox=sandbox.id) == [client.snapshots.get("python-state")]
    with Sandbox.create(from_snapshot=snapshot) as again:
        assert again.info.from_snapshot == snapshot.id
        client.snapshots.delete(snapshot)
        assert again.files.read("/workspace/state") == b"one"
    with pytest.raises(sandport.NotFoundError):
        Sandbox.create(from_snapshot="python-state")


def test_time_to_live_is_kept_and_events_end_with_the_sandbox(daemon: RunningDaemon) -> None:
    sandbox = Sandbox.create(ttl_seconds=1000, idle_timeout_seconds=500, idle_action="kill")
    assert (sandbox.info.idle_timeout_seconds, sandbox.info.idle_action) == (500, "kill")
    assert sandbox.set_persistent(True).expires_at is None
    assert sandbox.set_idle_timeout(0, "hibernate").idle_action == "hibernate"
    assert sandbox.lifecycle().idle_timeout_seconds == 0
    with pytest.raises(sandport.BadRequestError):
        sandbox.set_ttl(-1)
    sandbox.set_persistent(False)
    changed = sandbox.set_ttl(1)
    assert changed.expires_at == sandbox.info.expires_at
    seen = [event.type for event in sandbox.follow_events(tail=1)]
    assert seen[-2:] == ["expired", "deleted"]
    with pytest.raises(sandport.NotFoundError):
        sandbox.refresh()
    last = sandport.Client().events(2, sandbox=sandbox.id)
    assert [event.type for event in last] == ["expired", "deleted"]
    sandbox.kill()


def test_idle_sandboxes_hibernate(daemon: RunningDaemon) -> None:
    with Sandbox.create(idle_timeout_seconds=1) as sandbox:
        for event in sandbox.follow_events():
            if event.type == "hibernated":
                break
        assert sandbox.refresh().status == "hibernated"
        assert sandbox.commands.run("echo here").stdout == "here\n"


def test_limits_labels_and_environment_change(sandbox: Sandbox) -> None:
    info = sandbox.update(resources={"memory_mb": 300}, env={"COLOUR": "green"})
    assert (info.memory_mb, info.env) == (300, {"COLOUR": "green"})
    assert sandbox.commands.run("echo $COLOUR").stdout == "green\n"
    metrics = sandbox.metrics(history_seconds=60)
    assert metrics.memory_limit_bytes == 300 * 1024 * 1024
    assert metrics.status == "running"
    assert metrics.memory_bytes > 0
    assert "changed" in [event.type for event in sandbox.events(tail=10)]


def test_explore_keeps_the_best(sandbox: Sandbox) -> None:
    sandbox.files.write("/workspace/base", "10")

    def tries(box: Sandbox) -> int:
        box.files.write("/workspace/out", "7")
        return 7

    def score(box: Sandbox, outcome: BranchOutcome[Sandbox]) -> float:
        return float(box.files.read_text("/workspace/out"))

    result = sandbox.explore(
        [
            "echo 5 > /workspace/out",
            Candidate("function", fn=tries),
            Candidate("fails", cmd="exit 3", score=99),
        ],
        score_fn=score,
        capture_files="/workspace",
        memory=False,
    )
    with result.winner as winner:
        assert (result.winner_outcome.label, result.winner_outcome.value) == ("function", 7)
        assert result.winner_outcome.files_changed == ["/workspace/out"]
        assert result.outcomes[0].label == "fails"
        assert (len(result.reaped), result.reap_failures, result.errors) == (2, {}, [])
        assert winner.files.read("/workspace/base") == b"10"
        assert winner.refresh().ttl_seconds == 0
    with pytest.raises(sandport.ExploreError) as none:
        sandbox.explore(["exit 4"], memory=False)
    assert '"exit 4": ended with 4' in str(none.value)
    assert Sandbox.list(metadata={"explore": "1"}) == []
