"""Every method of `sandport.agent_sandbox`, and of its asynchronous twin."""

from __future__ import annotations

import asyncio
import inspect
import io
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, List, Type

import pytest
from running_daemon import RunningDaemon

import sandport
from sandport.agent_sandbox import (
    AsyncSandboxClient,
    SandboxApiError,
    SandboxClaimFailedError,
    SandboxClient,
    SandboxError,
    SandboxMetadataError,
    SandboxNotFoundError,
    SandboxRequestError,
    SandboxTemplateNotFoundError,
    SandboxWarmPoolNotFoundError,
)
from sandport.agent_sandbox.async_sandbox import AsyncSandbox
from sandport.agent_sandbox.models import (
    ExecutionResult,
    FileEntry,
    SandboxInClusterConnectionConfig,
)
from sandport.agent_sandbox.sandbox import Sandbox


class Waiting:
    """An object of the asynchronous API, whose results are waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Any) -> None:
        self._loop = loop
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return self._given(getattr(self._target, name))

    def _given(self, value: Any) -> Any:
        if inspect.ismethod(value):
            return lambda *args, **kwargs: self._given(value(*args, **kwargs))
        if inspect.isawaitable(value):
            return self._given(self._loop.run_until_complete(value))
        asynchronous = type(value).__name__.startswith("Async")
        return Waiting(self._loop, value) if asynchronous else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Waiting) and self._target is other._target

    def __enter__(self) -> Waiting:
        self._loop.run_until_complete(self._target.__aenter__())
        return self

    def __exit__(self, *details: Any) -> None:
        self._loop.run_until_complete(self._target.__aexit__(*details))


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


def native(box: Any) -> sandport.Sandbox:
    return sandport.Sandbox.get(box.sandbox_id)


def raised(kind: Type[BaseException], call: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """The error that a call with these arguments raises."""
    with pytest.raises(kind) as caught:
        call(*args, **given)
    return caught.value


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


def test_commands(box: Any) -> None:
    run = box.commands.run
    assert run("pwd; echo err >&2; exit 3") == ExecutionResult("/home/user\n", "err\n", 3)
    assert run("cd /tmp && echo $(pwd) | tr a-z A-Z > x; cat x").stdout == "/TMP\n"
    assert run("printf '\\377'").stdout == "\ufffd"
    assert run("").exit_code == 0
    assert run("kill -9 $$").exit_code == -9
    assert run("echo $A-$B", env={"A": "1", "B": "x y"}).stdout == "1-x y\n"
    assert run("pwd", cwd="/tmp").stdout == "/tmp\n"
    assert run("mkdir sub; pwd", cwd=".").stdout == "/home/user\n"
    assert run("pwd", cwd="sub").stdout == "/home/user/sub\n"
    raised(SandboxRequestError, run, "true", cwd="/nowhere")
    assert run("sleep 0.1", timeout=None).exit_code == 0
    assert run("sleep 0.1", timeout=(3, 5)).exit_code == 0
    for timeout in (0, -1, "1", True):
        raised(ValueError, run, "true", timeout=timeout)
    for name in ("", "A=B"):
        raised(ValueError, run, "true", env={name: "x"})
    raised(TypeError, run, ["true"])


def test_a_command_that_takes_too_long_runs_once_and_is_ended(box: Any) -> None:
    slow = "echo begun >> n; (sleep 60; echo survived >> n) & sleep 60"
    started = time.monotonic()
    error = raised(SandboxRequestError, box.commands.run, slow, timeout=0.7)
    assert 0.6 < time.monotonic() - started < 10
    assert error.status_code is None
    assert "0.7 seconds" in str(error)
    assert box.files.read("n") == b"begun\n"
    result = box.commands.run("echo out; echo err >&2; sleep 60", command_timeout=0.5)
    assert (result.stdout, result.exit_code, result.timed_out) == ("out\n", 124, True)
    assert result.stderr == "err\nCommand timed out after 0.5 seconds"
    assert "sleep" not in box.commands.run("cat /proc/[0-9]*/comm").stdout
    assert box.files.read("n") == b"begun\n"


def test_files(box: Any) -> None:
    files = box.files
    files.write("/home/user/new/dir/a b ü#?%20.txt", "grüße")
    assert files.read("new/dir/a b ü#?%20.txt").decode() == "grüße"
    files.write("/tmp/x.bin", bytes(range(256)) * 100)
    assert files.read("/tmp/x.bin") == bytes(range(256)) * 100
    files.write("stream", io.BytesIO(b"x" * 300_000))
    assert len(files.read("/home/user/stream")) == 300_000
    for content in (bytearray(b"b"), memoryview(b"b")):
        files.write("b", content)
        assert files.read("./b") == b"b"
    files.write("b", b"")
    assert files.read("b") == b""
    box.commands.run("ln -s dir new/link; ln -s nothing new/dangling; mkfifo new/fifo")
    (entry, link) = files.list("new")
    assert (entry.name, entry.type, link.name, link.type) == (
        "dir",
        "directory",
        "link",
        "directory",
    )
    (entry,) = files.list("/home/user/new/dir")
    assert isinstance(entry, FileEntry)
    assert (entry.name, entry.size, entry.type, entry.mode) == ("a b ü#?%20.txt", 7, "file", "0644")
    assert abs((datetime.now(timezone.utc) - entry.modified).total_seconds()) < 60
    assert entry.mod_time == entry.modified.timestamp()
    assert files.list("") == files.list(".") == files.list("/home/user")
    assert all(files.exists(path) for path in ("new", "/etc/passwd", "", ".."))
    assert not any(files.exists(path) for path in ("new/dangling", "stream/below", "/no"))
    files.delete("stream")
    assert not files.exists("stream")
    assert raised(SandboxRequestError, files.delete, "new").status_code == 409
    files.delete("new", recursive=True)
    assert raised(SandboxRequestError, files.delete, "new").status_code == 404
    raised(ValueError, files.delete, "")


def test_refused_paths_and_contents(box: Any) -> None:
    files = box.files
    for path in ("", "  ", ".", "/", "a\0b", "a\nb", "../x", "a/../../x", "\x7f"):
        raised(ValueError, files.write, path, b"")
        raised(ValueError, files.read, path)
    files.write("a/../b//c/", b"1")
    assert files.read("/home/user/b/c") == b"1"
    files.write("../user/d", b"2", allow_unsafe_paths=True)
    assert files.read("../user/d", allow_unsafe_paths=True) == b"2"
    files.write("/tmp/../tmp/e", b"3")
    assert files.read("/tmp/e") == b"3"
    for content in (io.StringIO("x"), 5, None, ["x"]):
        raised(TypeError, files.write, "f", content)
    assert not files.exists("f")
    raised(TypeError, files.read, 5)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/nothing", "file_not_found"),
        ("/tmp", "is_directory"),
        ("/etc/passwd/x", "not_a_directory"),
    ],
)
def test_a_file_that_cannot_be_read(box: Any, path: str, code: str) -> None:
    error = raised(SandboxRequestError, box.files.read, path)
    assert error.status_code == error.response.status_code == 404
    assert error.response.json()["code"] == code
    assert error.response.text
    assert not error.response.ok
    assert error.response.reason == "Not Found"
    assert path in str(error)


def test_a_directory_that_cannot_be_listed(box: Any) -> None:
    for path in ("/nothing", "/etc/passwd"):
        assert raised(SandboxRequestError, box.files.list, path).status_code == 404


class Destination:
    """Takes a few bytes at a time."""

    def __init__(self, asynchronous: bool) -> None:
        self.content = b""
        self._asynchronous = asynchronous

    def write(self, content: bytes) -> Any:
        self.content += content[:70_000]
        count = min(len(content), 70_000)

        async def later() -> int:
            return count

        return later() if self._asynchronous else count


def test_streaming_a_file(box: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 2000
    box.files.write("f", content)
    whole = io.BytesIO()
    assert box.files.read_to("f", whole) == len(whole.getvalue()) == len(content)
    few = Destination(asynchronous=isinstance(box, Waiting))
    assert box.files.read_to("f", few, max_bytes=len(content)) == len(content)
    assert few.content == content
    raised(RuntimeError, box.files.read_to, "f", io.BytesIO(), max_bytes=1000)
    with (tmp_path / "local").open("wb") as file:
        box.files.read_to("/home/user/f", file)
    with (tmp_path / "local").open("rb") as file:
        file.seek(10)
        box.files.write("g", file)
    assert box.files.read("g") == content[10:]
    for destination in (None, 5, io.StringIO()):
        raised(TypeError, box.files.read_to, "f", destination)
    for limit in (-1, 1.5, True):
        raised(ValueError, box.files.read_to, "f", io.BytesIO(), max_bytes=limit)
    box.commands.run("cp /dev/null empty")
    assert box.files.read_to("empty", io.BytesIO(), max_bytes=0) == 0


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
