"""Rules of `sandport.agent_sandbox` that need no daemon."""

from __future__ import annotations

import json
import pickle
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Optional

import pytest
from fake_daemon import FakeDaemon
from hypothesis import given
from hypothesis import strategies as st

from sandport.agent_sandbox import SandboxApiError, SandboxClient, exceptions, metrics_utils, models
from sandport.agent_sandbox._rules.label_selector import parse_selector
from sandport.agent_sandbox._rules.names import (
    label_for,
    name_hash,
    new_claim_name,
    validate_claim_name,
)
from sandport.agent_sandbox._rules.paths import checked, in_home
from sandport.agent_sandbox._rules.timeouts import seconds_of
from sandport.agent_sandbox._rules.volumes import claim_volume
from sandport.agent_sandbox.pod_metadata import build_pod_metadata, validate_labels

LABELS = {"app": "web", "tier": "front", "example.com/x": "", "n": "1"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (None, True),
        ("", True),
        ("app=web", True),
        ("app==web", True),
        (" app = web , tier=front", True),
        ("app=api", False),
        ("app!=api", True),
        ("app!=web", False),
        ("other!=x", True),
        ("app", True),
        ("!app", False),
        ("other", False),
        ("!other", True),
        ("! other", True),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("other in (x)", False),
        ("app notin (web)", False),
        ("app notin (api),tier", True),
        ("other notin (x)", True),
        ("example.com/x", True),
        ("example.com/x=", True),
        ("example.com/x in ()", True),
        ("app=web,tier=back", False),
        ("in in (x)", False),
        ("inner=x", False),
    ],
)
def test_label_selectors(selector: Optional[str], matches: bool) -> None:
    parsed = parse_selector(selector)
    assert parsed.matches(LABELS) is matches
    if matches:
        assert parsed.equalities.items() <= LABELS.items()


@pytest.mark.parametrize(
    "selector",
    [
        "=",
        "a=b=c",
        "a in",
        "a in b",
        "a,,b",
        "a,",
        ",a",
        "a b",
        "!",
        "!!a",
        "a in (b",
        "a=b;c",
        "é",
    ],
)
def test_what_is_no_label_selector(selector: str) -> None:
    with pytest.raises(SandboxApiError) as caught:
        parse_selector(selector)
    assert caught.value.status == 400
    assert repr(selector) in str(caught.value)


@given(st.text(alphabet="ab!=,() innot", max_size=30))
def test_any_label_selector_is_taken_or_refused(selector: str) -> None:
    try:
        assert parse_selector(selector).matches(LABELS) in (True, False)
    except SandboxApiError as error:
        assert error.status == 400  # noqa: PT017


@pytest.mark.parametrize(
    "labels",
    [{"a": "b"}, {"a.b_c-d": ""}, {"example.com/a": "B.c"}, {"x" * 63: "y" * 63}],
)
def test_labels(labels: Dict[str, str]) -> None:
    validate_labels(labels)
    pod = build_pod_metadata(labels, None)
    assert pod is not None
    assert pod.labels == labels


@pytest.mark.parametrize(
    "labels",
    [
        {"": "b"},
        {"-a": "b"},
        {"a": "b "},
        {"a": "-"},
        {"/a": "b"},
        {"a/": "b"},
        {"A.com/a": "b"},
        {"a/b/c": "d"},
        {"x" * 64: "y"},
        {"x": "y" * 64},
        {"p" * 254 + "/x": "y"},
        {"a": 1},
        {1: "a"},
    ],
)
def test_what_are_no_labels(labels: Any) -> None:
    with pytest.raises(ValueError, match="label"):
        validate_labels(labels)
    assert build_pod_metadata({}, {}) is None


def test_names() -> None:
    assert re.fullmatch(r"sandbox-claim-[0-9a-f]{8}", new_claim_name())
    assert new_claim_name() != new_claim_name()
    # FNV-1a of 32 bits: https://www.rfc-editor.org/rfc/rfc9923
    assert [name_hash(name) for name in ("", "a", "foobar")] == ["811c9dc5", "e40c292c", "bf9cf968"]
    assert label_for("a" * 63) == "a" * 63
    for name in ("A", "-a", "a-", "a..b", "", "a_b", "a" * 254, "a\n", None, 5):
        with pytest.raises(ValueError, match="claim_name"):
            validate_claim_name(name)  # type: ignore[arg-type]


@given(
    st.from_regex(
        r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?){0,4}",
        fullmatch=True,
    )
)
def test_every_claim_has_a_name_for_its_sandbox(name: str) -> None:
    validate_claim_name(name)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label_for(name))


@pytest.mark.parametrize(
    ("path", "absolute"),
    [
        ("/a/b", "/a/b"),
        ("//a", "/a"),
        ("/../a", "/a"),
        ("a", "/home/user/a"),
        ("./a/./b/", "/home/user/a/b"),
        ("a/../b", "/home/user/b"),
        ("..a", "/home/user/..a"),
        ("a/..b", "/home/user/a/..b"),
        ("~", "/home/user/~"),
        ("home/user/x", "/home/user/home/user/x"),
        (" a ", "/home/user/ a "),
    ],
)
def test_paths_of_files(path: str, absolute: str) -> None:
    assert in_home(checked(path, allow_unsafe_paths=False), "/home/user") == absolute


def test_other_paths() -> None:
    assert in_home("", "/home/user") == in_home(".", "/home/user") == "/home/user"
    assert in_home("../x", "/home/user") == "/home/user/../x"
    assert in_home("", "/") == "/"
    assert in_home("a", "/") == "/a"
    assert checked("../x\n", allow_unsafe_paths=True) == "../x\n"


def test_timeouts() -> None:
    assert [seconds_of(each) for each in (None, 1, 0.5, (9, 2), (1, None))] == [
        None,
        1,
        0.5,
        2,
        None,
    ]
    for wrong in (0, -1, "1", True, float("nan"), (1, 0), (1, 2, 3), [1, 2]):
        with pytest.raises(ValueError, match="timeout"):
            seconds_of(wrong)


@pytest.mark.parametrize(
    ("storage", "size_mb"),
    [
        (None, None),
        ("1Gi", 1024),
        ("100Mi", 100),
        ("1G", 954),
        ("0.5Gi", 512),
        (2**30, 1024),
        ("1Mi", 16),
        ("1Ti", 2**20),
    ],
)
def test_volume_claims(storage: Any, size_mb: Optional[int]) -> None:
    spec = {"resources": {"requests": {"storage": storage}}} if storage is not None else {}
    volume = claim_volume({"metadata": {"name": "data"}, "spec": spec}, "box")
    assert (volume.name, volume.path, volume.size_mb) == ("data-box", "/mnt/data", size_mb)


@pytest.mark.parametrize(
    "template",
    [
        {},
        5,
        {"metadata": {}},
        {"metadata": {"name": "x"}, "spec": {"resources": {"requests": {"storage": "much"}}}},
    ],
)
def test_what_is_no_volume_claim(template: Any) -> None:
    with pytest.raises(ValueError, match=r"volume claim template|storage"):
        claim_volume(template, "box")


def test_file_entries_have_the_fields_of_both_generations() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=timezone.utc)
    older = models.FileEntry(name="a", size=1, type="file", mod_time=moment.timestamp())
    newer = models.FileEntry(name="a", size=1, type="file", modified=moment)
    assert older == newer
    assert older.modified == moment
    assert newer.mod_time == moment.timestamp()
    assert (
        models.FileEntry.from_legacy(
            {"name": "a", "size": 1, "type": "file", "mod_time": moment.timestamp()}
        )
        == newer
    )
    of_the_other = models.FileEntry.from_sandboxd(
        {
            "name": "a",
            "size": 1,
            "type": "file",
            "modified_at": "2026-01-02T03:04:05.250Z".replace("250Z", "250000Z"),
            "mode": "0644",
        }
    )
    assert of_the_other.mode == "0644"
    assert of_the_other.modified == moment
    assert json.loads(of_the_other.model_dump_json())["modified"] == moment.isoformat()
    assert "mode" not in older.model_dump(exclude_none=True)
    assert "size=1" in repr(older)
    right: Dict[str, Any] = {"name": "a", "size": 1, "type": "file", "mod_time": 1.0}
    for wrong in ({"type": "symlink"}, {"size": "x"}, {"name": 5}, {"mod_time": None}):
        with pytest.raises(ValueError, match=r".+"):
            models.FileEntry(**{**right, **wrong})


def test_models_pass_over_what_they_do_not_know() -> None:
    result = models.ExecutionResult(stdout="x", exit_code=0, later="y")  # type: ignore[call-arg]
    assert result == models.ExecutionResult("x", "", 0)
    assert models.ExecutionResult().exit_code == -1
    assert result.model_dump() == {"stdout": "x", "stderr": "", "exit_code": 0, "timed_out": False}
    assert models.ExecutionResult.model_validate({"stdout": "x", "exit_code": 0}) == result
    assert models.ExecutionResult.model_validate(result) is result
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(ValueError, match="mapping"):
        models.ExecutionResult.model_validate(5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.SandboxDirectConnectionConfig(api_url=5),  # type: ignore[arg-type]
        lambda: models.SandboxDirectConnectionConfig(
            "http://x", extra_headers={"X-Sandbox-ID": "a"}
        ),
        lambda: models.SandboxDirectConnectionConfig("http://x", ca_cert="/x"),
        lambda: models.SandboxGatewayConnectionConfig(gateway_name=None),  # type: ignore[arg-type]
        lambda: models.SandboxLocalTunnelConnectionConfig(router_namespace="No"),
        lambda: models.SandboxLocalTunnelConnectionConfig(server_port="x"),  # type: ignore[arg-type]
        lambda: models.SandboxdPodTunnelConnectionConfig(rest_port=0),
        lambda: models.SandboxdPodTunnelConnectionConfig(grpc_port=65536),
        lambda: models.SandboxdInClusterConnectionConfig("other"),
        lambda: models.SandboxdInClusterConnectionConfig("in-cluster-service", 1, 1),
        lambda: models.SandboxInClusterConnectionConfig(1.5),  # type: ignore[arg-type]
        lambda: models.SandboxClaimEnvVar("1A", "x"),
        lambda: models.SandboxClaimEnvVar("..", "x"),
        lambda: models.SandboxClaimEnvVar("A", 1),  # type: ignore[arg-type]
    ],
)
def test_models_check_their_values(make: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make()


def test_connection_configurations() -> None:
    direct = models.SandboxDirectConnectionConfig(
        api_url="https://x", extra_headers={"A": "secret"}, client_cert=("c", "k")
    )
    assert "secret" not in repr(direct)
    assert models.SandboxInClusterConnectionConfig(use_pod_ip=True).server_port == 8888
    assert models.SandboxLocalTunnelConnectionConfig(server_port="80").server_port == 80  # type: ignore[arg-type]
    with pytest.warns(DeprecationWarning, match="in-cluster-pod-ip"):
        config = models.SandboxdInClusterConnectionConfig(mode="pod-ip")
    assert config.mode == "in-cluster-pod-ip"


def test_errors() -> None:
    assert issubclass(exceptions.SandboxError, RuntimeError)
    error = exceptions.SandboxRequestError("no", status_code=404, response="r")
    assert (str(error), error.status_code, error.response) == ("no", 404, "r")
    assert exceptions.SandboxRequestError("no").status_code is None
    assert exceptions.reason_of(599) == ""
    assert metrics_utils.get_metrics().startswith("#")


def test_arguments_are_checked_before_the_daemon_is_asked(daemon: FakeDaemon) -> None:
    client = SandboxClient()
    wrong: Dict[str, Any]
    for wrong in (
        {},
        {"template": ""},
        {"warmpool": ""},
        {"template": 5},
        {"labels": {"-": "x"}},
        {"pod_labels": {"-": "x"}},
        {"shutdown_after_seconds": 0},
        {"shutdown_after_seconds": True},
        {"shutdown_after_seconds": 1.5},
        {"shutdown_after_seconds": 10**9},
        {"claim_name": "A"},
        {"adopt_existing": True},
        {"env": {"1": "x"}},
        {"volume_claim_templates": [{}]},
    ):
        stands_alone = not wrong or "warmpool" in wrong
        whole: Dict[str, Any] = {**({} if stands_alone else {"template": "base"}), **wrong}
        with pytest.raises(ValueError, match=r".+"):
            client.create_sandbox(**whole)
    assert daemon.seen == []


def test_what_is_not_used_is_said(
    daemon: FakeDaemon, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    config = models.SandboxTracerConfig(enable_tracing=True)
    SandboxClient(tracer_config=config, api_client=object())
    assert ["tracer_config" in caplog.text, "api_client" in caplog.text] == [True, True]
    assert capsys.readouterr().out == ""


def test_old_moments_are_kept() -> None:
    moment = datetime(1969, 1, 1, tzinfo=timezone.utc)
    entry = models.FileEntry("a", 0, "file", modified=moment)
    assert entry.modified - moment == timedelta(0)
