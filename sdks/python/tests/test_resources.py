"""Volumes, templates, pools, quotas and keys: what is sent, and what is made of the answers."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any, List

import pytest
from fake_daemon import FakeDaemon
from raw_answers import answer, refusal, stream

from sandport import BadRequestError, Network, NotFoundError, UnavailableError
from sandport._transfers import upload

VOLUME = {"name": "data", "namespace": "team", "created_at": "2026-01-02T03:04:05.000Z"}
BUILD = {"id": "b1", "name": "mine", "status": "running", "started_at": VOLUME["created_at"]}
OPEN = {"max_egress": "all"}
TEMPLATE = {"name": "mine", "status": "ready", "cpu": 1, "memory_mb": 512, "removable": True}


def log(*lines: str) -> Any:
    return [("log", {"line": line}) for line in lines]


def test_files_of_a_volume_lie_in_its_namespace(
    daemon: FakeDaemon, api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.instead += [answer({**VOLUME, "size_mb": 64}, 201)]
    volume = api.Client().volumes.create("data", 64, namespace="team")
    assert daemon.seen[-1].json() == {"name": "data", "size_mb": 64, "namespace": "team"}
    assert (volume.name, volume.info.size_mb) == ("data", 64)
    daemon.instead += [answer({"path": "/a b", "bytes": 1})]
    volume.files.write("/a b", "x")
    seen = daemon.seen[-1]
    assert (seen.method, seen.segments) == ("PUT", ["volumes", "data", "fs"])
    assert seen.query == {"path": "/a b", "namespace": "team"}
    daemon.instead += [answer({"path": "/", "entries": []})]
    assert volume.filesystem.list("/") == []
    assert daemon.seen[-1].query["namespace"] == "team"
    # Uploads in parts are of sandboxes: a volume gets the file in one request.
    monkeypatch.setattr(upload, "PART_BYTES", 4)
    (tmp_path / "file").write_bytes(b"longer")
    daemon.instead += [answer({"path": "/f", "bytes": 6})]
    assert volume.files.upload(tmp_path / "file", "/f").bytes == 6
    assert daemon.seen[-1].segments == ["volumes", "data", "fs"]
    daemon.instead += [refusal(404, "volume_not_found")]
    with pytest.raises(NotFoundError):
        volume.delete()
    assert daemon.seen[-1].query == {"namespace": "team"}


def test_a_build_sends_its_archive_and_follows_its_log(
    daemon: FakeDaemon, api: Any, tmp_path: Path
) -> None:
    (tmp_path / "image.tar").write_bytes(b"an archive")
    daemon.instead += [
        answer({"upload": "u1", "bytes": 10}, 201),
        answer(BUILD, 202),
        stream(*log("one", "two"), breaks=True),
        stream(*log("one", "two", "three"), ("done", TEMPLATE)),
    ]
    lines: List[str] = []
    sent: List[int] = []
    template = api.Client().templates.build(
        "mine",
        archive_file=tmp_path / "image.tar",
        env={"A": "b"},
        resources={"memory_mb": 256},
        on_log=lines.append,
        on_progress=lambda progress: sent.append(progress.bytes),
    )
    assert (template.name, template.memory_mb, lines) == ("mine", 512, ["one", "two", "three"])
    assert sent[-1] == 10
    archive, build = daemon.seen[0], daemon.seen[1]
    digest = base64.b64encode(hashlib.sha256(b"an archive").digest()).decode()
    assert (archive.body, archive.headers["repr-digest"]) == (b"an archive", f"sha-256=:{digest}:")
    assert build.json() == {
        "name": "mine",
        "upload": "u1",
        "env": {"A": "b"},
        "resources": {"memory_mb": 256},
        "detach": True,
    }


def test_a_layout_is_sent_as_an_archive(daemon: FakeDaemon, api: Any, tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text("{}")
    os.utime(tmp_path / "oci-layout", (1, 1))
    daemon.instead += [answer({"upload": "u1", "bytes": 2048}, 201), answer(BUILD, 202)]
    assert api.Client().templates.start_build("mine", archive_file=tmp_path).id == "b1"
    assert daemon.seen[0].body.startswith(b"oci-layout\0")


def test_what_a_build_fails_with_is_raised_as_it_is(daemon: FakeDaemon, api: Any) -> None:
    templates = api.Client().templates
    failed = {"error": "No image.", "code": "invalid_image"}
    daemon.instead += [answer(BUILD, 202), stream(*log("one"), ("error", failed))]
    with pytest.raises(BadRequestError, match="No image"):
        templates.build("mine", image="x")
    # Not taken for a broken connection, although it may succeed later.
    stopped = {"error": "Stopping.", "code": "shutting_down"}
    daemon.instead += [answer(BUILD, 202), stream(("error", stopped))]
    with pytest.raises(UnavailableError, match="Stopping"):
        templates.build("mine", image="x")
    assert len(daemon.seen) == 4


def test_an_interruption_cancels_the_build(daemon: FakeDaemon, api: Any) -> None:
    daemon.instead += [answer(BUILD, 202), stream(*log("one")), answer({})]

    def stop(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="one"):
        api.Client().templates.build("mine", image="x", on_log=stop)
    assert daemon.seen[-1].method == "DELETE"
    assert daemon.seen[-1].segments == ["templates", "builds", "b1"]


def test_pools_quotas_and_keys(daemon: FakeDaemon, api: Any) -> None:
    client = api.Client()
    pool = {"template": "base", "isolation": "gvisor", "size": 2, "ready": 1, "starting": 1}
    daemon.instead += [answer({**pool, "taken": 0, "missed": 0})]
    assert client.pools.set("base", 2, isolation="gvisor").ready == 1
    assert daemon.seen[-1].json() == {"size": 2, "isolation": "gvisor"}
    quota = {"namespace": "a/b", "sandboxes": 1, "memory_mb": 2, "disk_mb": 3, "max_disk_mb": 4}
    daemon.instead += [answer(quota)]
    assert client.quotas.set("a/b", max_disk_mb=4).max_disk_mb == 4
    assert daemon.seen[-1].segments == ["namespaces", "a/b", "quota"]
    key = {"id": "k", "label": "", "created_at": VOLUME["created_at"], "api_key": "secret"}
    daemon.instead += [answer(key, 201), answer({"version": "1.2.3"})]
    made = client.keys.create(namespaces=["team"])
    assert (made.api_key, "secret" in repr(made)) == ("secret", False)
    assert client.version() == "1.2.3"
    with pytest.raises(TypeError):
        client.keys.create(namespaces="team")


def test_networks_of_namespaces_and_templates(daemon: FakeDaemon, api: Any) -> None:
    client = api.Client()
    listed = {"egress": "allowlist", "allow": ["a.test"], "bandwidth_mbps": 5}
    set_to = {"max_egress": "allowlist", "max_allow": ["*.a.test", "a.test"], "default": listed}
    daemon.instead += [answer({"namespace": "a/b", **set_to}), answer({**OPEN, "namespace": "c"})]
    default = Network("allowlist", ["a.test"], 5)
    rules = ("*.a.test", "a.test")
    networks = client.namespace_networks.set(
        "a/b", max_egress="allowlist", max_allow=rules, default=default
    )
    assert daemon.seen[-1].segments == ["namespaces", "a/b", "network"]
    assert daemon.seen[-1].json() == set_to
    assert (networks.max_egress, networks.max_allow) == ("allowlist", rules)
    assert networks.default == Network("allowlist", ("a.test",), 5)
    found = client.namespace_networks.get("c")
    assert (found.max_egress, found.max_allow, found.default) == ("all", None, None)
    with pytest.raises(TypeError):
        client.namespace_networks.set("a", max_egress="allowlist", max_allow="a.test")
    daemon.instead += [answer(BUILD, 202), answer({**TEMPLATE, "network": {"egress": "all"}})]
    client.templates.start_build("mine", image="x", network=default)
    assert daemon.seen[-1].json()["network"] == listed
    assert client.templates.get("mine").network == Network("all")


def test_how_clients_of_kubernetes_reach_the_daemon(daemon: FakeDaemon, api: Any) -> None:
    found = {
        "server": "https://127.0.0.1:8421",
        "certificate_authority": "PEM",
        "namespaces": None,
        "router": "http://127.0.0.1:8420/agent-sandbox/router",
    }
    daemon.instead += [
        answer(found),
        answer({**found, "namespaces": ["team"], "gateway": "http://127.66.0.1"}),
        refusal(404, "kubernetes_off"),
    ]
    kubernetes = api.Client().kubernetes()
    assert (kubernetes.server, kubernetes.certificate_authority) == (found["server"], "PEM")
    assert (kubernetes.namespaces, kubernetes.gateway) == (None, None)
    assert daemon.seen[-1].segments == ["kubernetes"]
    restricted = api.Client().kubernetes()
    assert (restricted.namespaces, restricted.gateway) == (["team"], "http://127.66.0.1")
    with pytest.raises(NotFoundError):
        api.Client().kubernetes()
