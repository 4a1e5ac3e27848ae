"""The unmodified clients of both generations against a real daemon, with a kubeconfig of it."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List

from unmodified_clients import Clients


def test_upload_a_local_file(clients: Clients, tmp_path: Path) -> None:
    (tmp_path / "local_data.csv").write_bytes(b"a,b\r\n1,2\r\n")
    printed = clients.printed(clients.program("Upload a Local File"))
    assert "data.csv (10 bytes)" in printed.splitlines()


def test_download_a_file(clients: Clients, tmp_path: Path) -> None:
    text = clients.program("Download a File from the Sandbox")
    assert clients.printed(text) == "Downloaded 18 bytes\n"
    assert (tmp_path / "downloaded_results.txt").read_bytes() == b"analysis complete\n"


def test_upload_a_directory(clients: Clients, tmp_path: Path) -> None:
    project = tmp_path / "my_project"
    project.mkdir()
    (project / "main.py").write_bytes(b"print('hi')\n")
    (project / "data.bin").write_bytes(bytes(range(256)))
    text = clients.program("Upload a Directory")
    if clients.generation == "0.4":
        # That client sends the last part of a path only: the directory is never made.
        done = clients.run(text)
        assert done.returncode == 1
        assert "SandboxRequestError" in done.stderr.strip().splitlines()[-1]
        return
    listed = clients.printed(text).split("\n\n")[1]
    assert sorted(listed.splitlines()) == [
        "  data.bin (256 bytes)",
        "  main.py (12 bytes)",
        "2 files in sandbox:",
    ]


# The page's sandbox is new, so the directory that it lists is not there: its reader would have run
# something before.
READERS_EARLIER_STEP = """
import runpy
from k8s_agent_sandbox import SandboxClient

create_sandbox = SandboxClient.create_sandbox


def create_used_sandbox(*args, **kwargs):
    sandbox = create_sandbox(*args, **kwargs)
    sandbox.commands.run(
        "mkdir -p output/charts && cd output && printf 'x,y\\\\n' > report.csv &&"
        " head -c 5000 /dev/zero > plot.png && echo x > charts/inner.txt"
    )
    return sandbox


SandboxClient.create_sandbox = create_used_sandbox
runpy.run_path("published.py", run_name="__main__")
"""


def test_download_multiple_files(clients: Clients, tmp_path: Path) -> None:
    (tmp_path / "published.py").write_text(clients.program("Download Multiple Files"))
    assert sorted(clients.printed(READERS_EARLIER_STEP).splitlines()) == [
        "Downloaded plot.png (5000 bytes)",
        "Downloaded report.csv (4 bytes)",
    ]
    local = tmp_path / "downloaded_output"
    assert {path.name: path.read_bytes() for path in local.iterdir()} == {
        "plot.png": bytes(5000),
        "report.csv": b"x,y\n",
    }


def test_end_to_end(clients: Clients, tmp_path: Path) -> None:
    (tmp_path / "input.csv").write_bytes(b"name,n\r\nx,1\r\ny,2\r\n")
    text = clients.program("End-to-End Example: Upload, Process, Download")
    assert clients.printed(text) == "Processed 3 rows\n\n"
    assert (tmp_path / "output.csv").read_bytes().split() == [b"name,n", b"x,1", b"y,2"]


CONNECTIONS = """
import asyncio
import inspect
import os
import sys
import traceback

from kubernetes import client as kube, config as kube_config
from k8s_agent_sandbox import AsyncSandboxClient, SandboxClient, models

NEWER = hasattr(models, "SandboxClaimEnvVar")
SOURCE = {"warmpool": "python-sandbox-pool"} if NEWER else {"template": "python-sandbox-template"}


def gateway():
    kube_config.load_kube_config()
    gateways = kube.CustomObjectsApi(), "gateway.networking.k8s.io", "v1", "default", "gateways"
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "router"},
        "spec": {
            "gatewayClassName": "sandport",
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        },
    }
    try:
        gateways[0].create_namespaced_custom_object(*gateways[1:], body)
    except kube.ApiException as error:
        if error.status != 409:
            raise
    return models.SandboxGatewayConnectionConfig(gateway_name="router")


CONFIGS = {
    "tunnel": lambda: models.SandboxLocalTunnelConnectionConfig(),
    "direct": lambda: models.SandboxDirectConnectionConfig(api_url=os.environ["ROUTER"]),
    "gateway": gateway,
    "in cluster": lambda: models.SandboxInClusterConnectionConfig(
        **({} if NEWER else {"use_pod_ip": True})
    ),
    "sandboxd tunnel": lambda: models.SandboxdPodTunnelConnectionConfig(),
    "sandboxd in cluster": lambda: models.SandboxdInClusterConnectionConfig(
        mode="in-cluster-pod-ip"
    ),
}


async def given(value):
    return await value if inspect.isawaitable(value) else value


async def use(client, is_sandboxd):
    box = await given(client.create_sandbox(**SOURCE))
    path, data = "/home/user/notes ü.bin", bytes(range(256)) * 4000
    await given(box.files.write(path, data))
    assert await given(box.files.read(path)) == data
    names = [entry.name for entry in await given(box.files.list("/home/user"))]
    assert "notes ü.bin" in names, names
    assert await given(box.files.exists(path))
    assert not await given(box.files.exists("/home/user/none"))
    result = await given(box.commands.run("cat notes* | wc -c; echo $HOME | tr a-z A-Z; exit 3"))
    assert (result.stdout.split(), result.exit_code) == (["1024000", "/HOME/USER"], 3), result
    if is_sandboxd:
        await given(box.files.delete(path))
        assert not await given(box.files.exists(path))
        result = await given(box.commands.run("echo $A; pwd", env={"A": "b"}, cwd="/tmp"))
        assert result.stdout.split() == ["b", "/tmp"], result
    await given(box.terminate())


async def asynchronously(config, is_sandboxd):
    async with AsyncSandboxClient(connection_config=config) as client:
        await use(client, is_sandboxd)


for kind in sys.argv[1:]:
    try:
        config, is_sandboxd = CONFIGS[kind](), kind.startswith("sandboxd")
        asyncio.run(use(SandboxClient(connection_config=config), is_sandboxd))
        if kind != "tunnel":
            asyncio.run(asynchronously(config, is_sandboxd))
        print(f"{kind}: works")
    except Exception:
        traceback.print_exc()
"""

CONNECTION_KINDS: Dict[str, List[str]] = {
    "0.4": ["tunnel", "direct", "gateway", "in cluster"],
    "1.0": ["tunnel", "direct", "gateway", "in cluster", "sandboxd tunnel", "sandboxd in cluster"],
}


def test_every_way_to_connect(clients: Clients) -> None:
    kinds = CONNECTION_KINDS[clients.generation]
    done = clients.run(CONNECTIONS, *kinds)
    working = [line for line in done.stdout.splitlines() if line.endswith(": works")]
    assert working == [f"{kind}: works" for kind in kinds], done.stderr[-4000:]


METHODS = """
from k8s_agent_sandbox import SandboxClient, exceptions, models

NEWER = hasattr(models, "SandboxClaimEnvVar")


NAMESPACE = "methods"


def create(client, name, **kwargs):
    return client.create_sandbox(name, NAMESPACE, **kwargs)


client = SandboxClient()
first = "python-sandbox-pool" if NEWER else "python-sandbox-template"
kind = "WarmPool" if NEWER else "Template"
try:
    create(client, "nothing-of-this-name")
except getattr(exceptions, f"Sandbox{kind}NotFoundError") as error:
    print(kind, "not found")

box = create(client, first, labels={"app": "methods"}, shutdown_after_seconds=600)
other = create(client, first)
print(box.status()[0], box.is_active, box.get_pod_name() == box.sandbox_id)
print(box.get_pod_ip().startswith("127."), len(box.get_sandbox_name_hash() or ""))
selected = {"label_selector": "app=methods"} if NEWER else {}
print(box.claim_name in client.list_all_sandboxes(NAMESPACE, **selected))
print(len(client.list_all_sandboxes(NAMESPACE, **selected)), len(client.list_active_sandboxes()))
again = SandboxClient().get_sandbox(box.claim_name, NAMESPACE)
print(again.commands.run("echo found").stdout.strip())
try:
    box.files.read("/home/user/none")
except exceptions.SandboxRequestError as error:
    print(error.status_code)
if NEWER:
    print(client.get_sandbox_claim_warmpool_name(box.claim_name, NAMESPACE))
    result = box.commands.run("echo out; sleep 60", command_timeout=1)
    print(result.stdout.strip(), result.timed_out)
    named = create(client, first, claim_name="named", env={"A": "b"})
    print(create(client, first, claim_name="named", adopt_existing=True) is named)
    print(named.commands.run("echo $A").stdout.strip())
name = box.claim_name
client.delete_sandbox(name, NAMESPACE)
try:
    client.get_sandbox(name, NAMESPACE, resolve_timeout=1)
except exceptions.SandboxNotFoundError:
    print("gone")
client.delete_all()
print(client.list_active_sandboxes())
"""


def test_the_methods_of_the_client(clients: Clients) -> None:
    printed = clients.printed(METHODS).splitlines()
    newer = ["python-sandbox-pool", "out True", "True", "b"]
    assert printed == [
        f"{'WarmPool' if clients.generation == '1.0' else 'Template'} not found",
        "SandboxReady True True",
        "True 8",
        "True",
        f"{'1' if clients.generation == '1.0' else '2'} 2",
        "found",
        "404",
        *(newer if clients.generation == "1.0" else []),
        "gone",
        "[]",
    ]
