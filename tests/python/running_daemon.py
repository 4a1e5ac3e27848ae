"""A real daemon for tests, started and stopped here."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Optional

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]

START_SECONDS = 30.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class RunningDaemon:
    url: str
    api_key: str
    #: Isolation of sandboxes that ask for none.
    isolation: str
    #: None for a daemon that was not started here.
    pid: Optional[int] = None

    def environment(self) -> Dict[str, str]:
        """Of a program that is to use this daemon and nothing of the user's configuration."""
        return {
            **os.environ,
            "SANDPORT_URL": self.url,
            "SANDPORT_API_KEY": self.api_key,
            "XDG_CONFIG_HOME": "/nonexistent",
        }


class DaemonNotStarted(Exception):
    """Its message is what the daemon said last."""


class OwnDaemon:
    """``sandport serve`` on a free port with a data directory of its own. A context manager: at its
    end all sandboxes are deleted, the daemon is stopped, and the directory removed.

    :raises DaemonNotStarted: when it does not come up.
    """

    def __init__(self, isolation: str) -> None:
        self._isolation = isolation
        self._directory = Path(tempfile.mkdtemp(prefix="sandport-python-"))
        self._process: Optional[subprocess.Popen[bytes]] = None
        self.running = RunningDaemon("", "", isolation)

    def __enter__(self) -> OwnDaemon:
        try:
            self._start("127.0.0.1:0")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_details: object) -> None:
        try:
            if self._process is not None and self._process.poll() is not None:
                self.start_again()  # Nobody else deletes the sandboxes that it left.
            _delete_all(self.running, self._directory / "data" / "sandboxes")
        finally:
            self._stop()

    def kill(self) -> None:
        """Ends the daemon without a warning; its sandboxes go on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        """At the address that it had."""
        self._start(self.running.url[len("http://") :])

    def _start(self, listen: str) -> None:
        log_path, data = self._directory / "daemon.log", self._directory / "data"
        (data / "client.json").unlink(missing_ok=True)
        templates = os.environ.get(
            "SANDPORT_TEMPLATES_DIR", str(REPOSITORY / ".setup" / "templates")
        )
        program = os.environ.get("SANDPORT_BIN", str(REPOSITORY / "apps/cli/bin/sandport.mjs"))
        command = [
            *("node", program, "serve"),
            *("--listen", listen),
            *("--data-dir", str(data)),
            *("--templates-dir", templates),
            *("--isolation", self._isolation),
        ]
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        found = _wait_for_client_file(self._process, data / "client.json", log_path)
        self.running = RunningDaemon(
            found["url"], found["api_key"], self._isolation, self._process.pid
        )

    def _stop(self) -> None:
        try:
            if self._process is not None:
                _stop(self._process)
        finally:
            _remove(self._directory)


@contextlib.contextmanager
def start_daemon(isolation: str) -> Iterator[RunningDaemon]:
    """An :class:`OwnDaemon` while the block lasts."""
    with OwnDaemon(isolation) as own:
        yield own.running


def _remove(directory: Path) -> None:
    """The daemon leaves the removal of large sandboxes to a process that outlives it."""
    for _ in range(100):
        try:
            return shutil.rmtree(directory)
        except FileNotFoundError:
            time.sleep(0.05)
    shutil.rmtree(directory)


def _wait_for_client_file(
    process: subprocess.Popen[bytes], path: Path, log_path: Path
) -> Dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ValueError):
            found: Dict[str, str] = json.loads(path.read_text())
            return found
        if process.poll() is not None:
            break
        time.sleep(0.02)
    lines = log_path.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    raise DaemonNotStarted(lines[-1])


def _delete_all(daemon: RunningDaemon, directory: Path) -> None:
    headers = {"Authorization": f"Bearer {daemon.api_key}"}
    with httpx.Client(base_url=daemon.url, headers=headers, timeout=60, trust_env=False) as client:
        _delete_kubernetes_objects(client.get("/v1/kubernetes").json(), headers)
        for sandbox in client.get("/v1/sandboxes", params={"limit": 1000}).json():
            client.delete(f"/v1/sandboxes/{sandbox['id']}")
    deadline = time.monotonic() + STOP_SECONDS
    while any(directory.iterdir()):  # Those of pools go by themselves.
        assert time.monotonic() < deadline, f"not deleted: {list(directory.iterdir())}"
        time.sleep(0.05)


def _delete_kubernetes_objects(access: Dict[str, str], headers: Dict[str, str]) -> None:
    """What the daemon keeps sandboxes for, so that it makes no more."""
    trust = ssl.create_default_context(cadata=access["certificate_authority"])
    server, timeout = access["server"], 60
    with httpx.Client(
        base_url=server, headers=headers, verify=trust, timeout=timeout, trust_env=False
    ) as client:
        for group, resource in (
            ("extensions.agents.x-k8s.io", "sandboxwarmpools"),
            ("extensions.agents.x-k8s.io", "sandboxclaims"),
            ("agents.x-k8s.io", "sandboxes"),
        ):
            for item in client.get(f"/apis/{group}/v1beta1/{resource}").json()["items"]:
                name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
                client.delete(f"/apis/{group}/v1beta1/namespaces/{namespace}/{resource}/{name}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
