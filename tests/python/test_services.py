"""Code, ports and networks of sandboxes, against a real daemon."""

from __future__ import annotations

import asyncio
import time
from typing import Callable, Iterator, List

import httpx
import pytest
from running_daemon import RunningDaemon

import sandport
from sandport import AsyncSandbox, Network, Sandbox

#: Seconds in which something must have come true.
SOON = 20.0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def box(daemon: RunningDaemon) -> Iterator[Sandbox]:
    """One sandbox for all tests of an isolation."""
    with Sandbox.create(workdir="/workspace", url=daemon.url, api_key=daemon.api_key) as made:
        made.files.write("/workspace/page.txt", "from the sandbox")
        yield made


@pytest.fixture(scope="module")
def interpreter(daemon: RunningDaemon) -> Iterator[Sandbox]:
    try:
        made = Sandbox.create("code-interpreter", url=daemon.url, api_key=daemon.api_key)
    except sandport.NotFoundError:
        pytest.skip("the template code-interpreter is not built")
    with made:
        yield made


def test_ports(daemon: RunningDaemon, box: Sandbox) -> None:
    server = box.commands.run("exec python3 -m http.server 8000 --bind 127.0.0.1", background=True)
    until(lambda: any(port.port == 8000 for port in box.ports.list()))
    (found,) = [port for port in box.ports.list() if port.port == 8000]
    assert (found.listening, found.source, found.visibility) == (True, "detected", "private")

    key = {"Authorization": f"Bearer {daemon.api_key}"}
    page = httpx.get(box.port_url(8000) + "page.txt", headers=key)
    assert page.text == "from the sandbox"
    assert httpx.get(box.port_url(8000) + "page.txt").status_code == 401

    signed = box.ports.sign(8000, ttl_seconds=60, paths=["/page.txt"])
    assert (signed.port, signed.paths) == (8000, ("/page.txt",))
    assert httpx.get(signed.url + "page.txt").text == "from the sandbox"
    assert httpx.get(signed.url + "other").status_code == 403
    assert f"8000-{box.id}" in box.preview_url(8000, ttl_seconds=60)

    exposed = box.ports.expose(8000, label="pages")
    assert (exposed.label, exposed.source, exposed.visibility) == ("pages", "exposed", "private")
    assert box.preview_url(8000, public=True) == exposed.preview_url
    assert [port.visibility for port in box.ports.list() if port.port == 8000] == ["public"]
    box.ports.unexpose(8000)
    with pytest.raises(sandport.NotFoundError) as caught:
        box.ports.unexpose(8000)
    assert caught.value.code == "port_not_exposed"
    for wrong in (0, 22, 70_000):
        with pytest.raises(sandport.BadRequestError):
            box.ports.expose(wrong)
    server.remove()


def test_code(interpreter: Sandbox) -> None:
    seen: List[str] = []
    assert interpreter.run_code("x = 20; print('ä')", on_stdout=seen.append).stdout == "ä\n"
    assert seen == ["ä\n"]
    assert interpreter.run_code("x + 1").text == "21"
    failed = interpreter.run_code("1 / 0")
    assert failed.error is not None
    assert (failed.error.name, failed.ok, failed.exit_code) == ("ZeroDivisionError", False, 1)
    assert any("1 / 0" in line for line in failed.error.traceback)
    assert interpreter.run_code("cd /tmp; pwd; false", "shell").exit_code == 1
    assert interpreter.run_code("pwd", "shell").stdout == "/tmp\n"
    with pytest.raises(sandport.BadRequestError):
        interpreter.run_code("x", "cobol")

    results: List[sandport.CodeResult] = []
    display = "from IPython.display import *; display(HTML('<b>x</b>'), JSON({'a': [1]}))"
    shown = interpreter.run_code(
        display + "; Image(b'\\x89PNG\\r\\n\\x1a\\nrest', format='png')", on_result=results.append
    )
    assert shown.results == results, shown.error
    html, value, image = results
    assert (html.html, value.json) == ("<b>x</b>", {"a": [1]})
    assert image.png == b"\x89PNG\r\n\x1a\nrest"


def test_code_contexts(interpreter: Sandbox) -> None:
    with interpreter.create_code_context("shell", cwd="/tmp", env={"A": "b"}) as context:
        assert (context.language, context.info.cwd) == ("shell", "/tmp")
        assert context.run("x=1; echo $A $PWD").stdout == "b /tmp\n"
        assert context.id in [each.id for each in interpreter.code_contexts()]
        assert interpreter.run_code("echo -$x-", "shell").stdout == "--\n"
        assert context.run("sleep 600", timeout=0.3).timed_out
        context.restart()
        assert context.run("echo -$x-").stdout == "--\n"
        assert context.refresh().status == "idle"
        context.interrupt()
    context.close()
    with pytest.raises(sandport.NotFoundError) as caught:
        context.run("1")
    assert caught.value.code == "context_not_found"


def test_the_asynchronous_client(interpreter: Sandbox) -> None:
    async def main() -> None:
        there = await AsyncSandbox.get(interpreter.id)
        try:
            async with await there.create_code_context("shell") as context:
                await context.run("x=1")
                running = asyncio.ensure_future(context.run("sleep 600"))
                for _ in range(200):
                    if (await context.refresh()).status == "busy":
                        break
                    await asyncio.sleep(0.05)
                await context.interrupt()
                assert not (await running).ok
                assert (await context.run("echo $x")).stdout == "1\n"
            assert context.id not in [each.id for each in await there.code_contexts()]
            port = await there.ports.expose(8001)
            assert port.port in [each.port for each in await there.ports.list()]
            assert await there.preview_url(8001, public=True) == port.preview_url
            await there.ports.unexpose(8001)
        finally:
            await there.aclose()

    asyncio.run(asyncio.wait_for(main(), 120))


def test_networks(daemon: RunningDaemon) -> None:
    try:
        made = Sandbox.create(network={"egress": "allowlist", "allow": ["example.com:443"]})
    except sandport.SandportError as error:
        if error.code != "network_unavailable":
            raise
        pytest.skip(f"no networks for sandboxes on this machine: {error}")
    with made as box:
        assert box.network == Network("allowlist", ("example.com:443",))
        changed = Network("allowlist", ["93.184.216.34"], bandwidth_mbps=5)
        assert box.update(network=changed).network.allow == ("93.184.216.34",)
        assert box.network.bandwidth_mbps == 5
        box.update(network={"egress": "none"})
        assert Sandbox.get(box.id).network.egress == "none"
        with pytest.raises(sandport.BadRequestError, match=r"münchen\.de"):
            box.update(network=Network("allowlist", ["münchen.de"]))
    with Sandbox.create() as closed:
        assert closed.network == Network("none")
