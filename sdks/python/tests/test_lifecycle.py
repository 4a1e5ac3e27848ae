"""The life of sandboxes: what is sent, and what is made of the answers."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from fake_daemon import FakeDaemon
from raw_answers import SANDBOX_ID, answer, refusal, stream
from raw_answers import sandbox as described

from sandport import Candidate, ExploreError, NotFoundError, VolumeMount, WakeResult
from sandport import explore_models as rules
from sandport.life_models import ForkFailure, ForkTree
from sandport.models import SandboxInfo

LIFECYCLE = {
    "ttl_seconds": 60,
    "persistent": False,
    "idle_timeout_seconds": 5,
    "idle_action": "kill",
    "idle_seconds": 0.5,
    "expires_at": "2026-01-02T03:04:05.000Z",
}
SNAPSHOT = {
    "id": "00000000-0000-4000-8000-000000000002",
    "namespace": "default",
    "sandbox_id": SANDBOX_ID,
    "template": "base",
    "isolation": "gvisor",
    "memory": True,
    "size_bytes": 7,
    "volumes": [{"name": "data", "path": "/data"}],
    "metadata": {},
    "pause_ms": 1.5,
    "created_at": "2026-01-02T03:04:05.000Z",
}


def event(number: int, kind: str = "paused") -> Tuple[str, Dict[str, Any]]:
    data = {"id": number, "sandbox_id": SANDBOX_ID, "type": kind, "payload": {}}
    return "event", {**data, "time": "2026-01-02T03:04:05.000Z"}


def test_create_names_what_it_starts_from_and_how_long_it_stays(
    daemon: FakeDaemon, api: Any
) -> None:
    volumes = [VolumeMount("a", path="/data", size_mb=64), {"name": "b", "sizeMb": 32}]
    with api.Sandbox.create(
        from_snapshot="state",
        memory=False,
        persistent=True,
        idle_timeout_seconds=9,
        idle_action="kill",
        volumes=volumes,
    ):
        assert daemon.last("POST").json() == {
            "from_snapshot": "state",
            "memory": False,
            "persistent": True,
            "idle_timeout_seconds": 9,
            "idle_action": "kill",
            "volumes": [
                {"name": "a", "read_only": False, "path": "/data", "size_mb": 64},
                {"name": "b", "size_mb": 32},
            ],
        }


def test_states(daemon: FakeDaemon, sandbox: Any) -> None:
    for change, status in (("pause", "paused"), ("resume", "running"), ("hibernate", "hibernated")):
        daemon.instead.append(answer(described(status=status)))
        assert getattr(sandbox, change)().status == sandbox.status == status
        assert daemon.last("POST").segments[2:] == [change]
        assert daemon.last("POST").body == b""
    for change, snapshot in (("wake", ()), ("restore", ("state",))):
        daemon.instead.append(answer(described(woken=True, memory=True)))
        result: WakeResult = getattr(sandbox, change)(*snapshot)
        assert (result.woken, result.memory) == (True, True)
        assert result.info == sandbox.info
        assert sandbox.info.memory is None
    assert daemon.last("POST").json() == {"snapshot": "state"}


def test_lifetimes(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.instead.append(answer(LIFECYCLE))
    assert sandbox.lifecycle().idle_seconds == 0.5
    assert daemon.seen[-1].method == "GET"
    sent: List[Any] = []
    for method, arguments in (
        ("set_ttl", (0,)),
        ("set_persistent", (False,)),
        ("set_idle_timeout", (5,)),
        ("set_idle_timeout", (5, "kill")),
    ):
        daemon.instead.append(answer(LIFECYCLE))
        assert getattr(sandbox, method)(*arguments).ttl_seconds == 60
        sent.append(daemon.last("PATCH").json())
    assert sent == [
        {"ttl_seconds": 0},
        {"persistent": False},
        {"idle_timeout_seconds": 5},
        {"idle_timeout_seconds": 5, "idle_action": "kill"},
    ]
    assert sandbox.info.expires_at == LIFECYCLE["expires_at"]
    daemon.instead.append(answer(described(metadata={"a": "b"})))
    assert sandbox.update(metadata={"a": "b"}, env={}).metadata == {"a": "b"}
    assert daemon.last("PATCH").json() == {"metadata": {"a": "b"}, "env": {}}


def test_snapshots_and_forks(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.instead.append(answer(SNAPSHOT, 201))
    snapshot = sandbox.snapshot("state", memory=True)
    assert daemon.last("POST").json() == {"name": "state", "memory": True}
    assert (snapshot.name, snapshot.volumes) == (None, [VolumeMount("data", path="/data")])
    tree = {"parent_id": "p", "tree_id": "t", "memory": True, "pause_ms": 2}
    child = described(id="c", parent_id="p")
    daemon.instead.append(answer({**tree, "children": ["c"], "sandboxes": [child]}, 201))
    assert sandbox.fork({"a": "b"}).id == "c"
    assert daemon.last("POST").json() == {"metadata": {"a": "b"}}
    failed = [{"index": 1, "err": "Full.", "code": "limit_reached"}]
    daemon.instead.append(answer({**tree, "children": [child], "errors": failed}, 201))
    forked = sandbox.fork_tree(2, memory=False)
    assert daemon.last("POST").json() == {"count": 2, "memory": False}
    assert [each.id for each in forked] == [forked[0].id] == ["c"]
    assert forked.errors == [ForkFailure(1, "Full.", "limit_reached")]
    failures = [{"id": "x", "error": "Busy."}]
    daemon.instead.append(answer({"winner": "c", "deleted": ["d"], "failures": failures}))
    assert sandbox.promote(cleanup_siblings=True).failures == {"x": "Busy."}
    assert daemon.last("POST").json() == {"cleanup_siblings": True}


def test_what_woke_for_a_request_says_so(daemon: FakeDaemon, sandbox: Any) -> None:
    result = {"stdout": "", "stderr": "", "exit_code": 0, "duration_ms": 1}
    daemon.instead.append(answer(result, X_Sandport_Woke="memory"))
    assert sandbox.commands.run("true").woke == "memory"
    daemon.instead.append(stream(("exit", result), X_Sandport_Woke="disk"))
    assert sandbox.commands.run("true", on_stdout=print).woke == "disk"
    daemon.instead.append(answer({"path": "/a", "bytes": 1}, X_Sandport_Woke="memory"))
    assert sandbox.files.write("/a", "x").woke == "memory"
    assert sandbox.commands.run("true").woke is None


def test_events_go_on_behind_the_last_one(daemon: FakeDaemon, sandbox: Any) -> None:
    daemon.instead += [
        answer({"events": [event(4)[1]]}),
        stream(event(5), event(6), breaks=True),
        refusal(503, "shutting_down"),
        stream(event(7)),
    ]
    retries: List[str] = []
    seen: List[int] = []
    events = sandbox.follow_events(on_retry=lambda retry: retries.append(retry.error.code))
    for each in events:
        seen.append(each.id)
        if each.id == 7:
            break
    assert seen == [5, 6, 7]
    assert retries == ["network_error", "shutting_down"]
    follows = [each for each in daemon.seen if "follow" in each.query]
    assert [each.headers["last-event-id"] for each in follows] == ["4", "6", "6"]
    assert ["tail" in each.query for each in follows] == [False] * 3


def test_events_end_with_their_sandbox(daemon: FakeDaemon, api: Any, sandbox: Any) -> None:
    daemon.instead += [stream(event(1, "deleted")), refusal(404, "sandbox_not_found")]
    assert [each.type for each in sandbox.follow_events(tail=3)] == ["deleted"]
    daemon.instead += [refusal(404, "sandbox_not_found")]
    with pytest.raises(NotFoundError):
        list(sandbox.follow_events())
    daemon.instead += [answer({"events": []}), stream(event(1))]
    assert next(iter(api.Client().follow_events())).id == 1
    assert daemon.seen[-1].segments == ["events"]
    assert daemon.seen[-1].headers["last-event-id"] == "0"


def outcome(label: str, score: float, *, ok: bool = True, ms: int = 1) -> Any:
    return rules.BranchOutcome(label, None, label, ok=ok, score=score, duration_ms=ms, exit_code=3)


def test_rules_of_exploring() -> None:
    some = [outcome("a", 1), outcome("b", 2, ms=5), outcome("c", 2), outcome("bad", 9, ok=False)]
    assert rules.pick(some, "max", True).label == "c"
    assert rules.pick(some, "max", False).label == "bad"
    assert rules.pick(some, "min", True).label == "a"
    assert rules.pick(some, lambda viable: viable[1], True).label == "b"
    assert [each.label for each in rules.in_order(some, "max")] == ["bad", "c", "b", "a"]
    with pytest.raises(ExploreError, match='"bad": ended with 3') as none:
        rules.pick(some[3:], "max", True)
    assert none.value.outcomes == some[3:]
    with pytest.raises(ExploreError):
        rules.candidates_of([])
    with pytest.raises(ExploreError, match="17 candidates"):
        rules.candidates_of(["true"] * 17)
    with pytest.raises(TypeError):
        rules.candidates_of("true")
    with pytest.raises(ValueError, match="best"):
        rules.check_select("best")
    info = SandboxInfo.from_wire(described())
    tree = ForkTree("t", "p", [info], False, 0, [ForkFailure(1, "Full.", "limit_reached")])
    tried: List[Candidate[SandboxInfo]] = [Candidate("a"), Candidate("b")]
    assert rules.not_made(tree, tried) == ["b was not tried: no copy could be made. Full."]
    assert rules.files_changed({"/a": "1", "/b": "1"}, {"/a": "2", "/c": "1"}) == ["/a", "/c", "/b"]
