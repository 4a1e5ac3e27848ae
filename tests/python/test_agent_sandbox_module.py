"""Programs for k8s_agent_sandbox, as they stand, by `python -m sandport.agent_sandbox`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest
from published_pages import PUBLISHED_IMPORT, UPLOAD_DOWNLOAD, programs_of_the_first_page
from running_daemon import RunningDaemon

import sandport

PROGRAMS = dict(programs_of_the_first_page(PUBLISHED_IMPORT))

RENAMED = 'create_sandbox(warmpool="python-sandbox-pool"'


def run_program(
    daemon: RunningDaemon, directory: Path, text: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    (directory / "program.py").write_text(text, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "sandport.agent_sandbox", "program.py", *arguments],
        cwd=directory,
        env=daemon.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


def printed(daemon: RunningDaemon, directory: Path, text: str, *arguments: str) -> str:
    """What a program that must succeed prints. It must say nothing else, and leave nothing."""
    before = {sandbox.id for sandbox in sandport.Sandbox.list()}
    done = run_program(daemon, directory, text, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert {sandbox.id for sandbox in sandport.Sandbox.list()} <= before
    return done.stdout


@pytest.fixture(params=["as published", "one argument renamed"])
def programs(request: pytest.FixtureRequest) -> Dict[str, str]:
    """Of the page, and as the newer generation of the package wants them."""
    if request.param == "as published":
        return PROGRAMS
    old = 'create_sandbox(template="python-sandbox-template"'
    assert all(text.count(old) == 1 for text in PROGRAMS.values())
    return {heading: text.replace(old, RENAMED) for heading, text in PROGRAMS.items()}


def test_the_programs_stand_on_the_page_as_they_are_run() -> None:
    assert len(PROGRAMS) == UPLOAD_DOWNLOAD.count(PUBLISHED_IMPORT) == 5
    for text in PROGRAMS.values():
        assert text in f"{UPLOAD_DOWNLOAD}\n"


def test_upload_a_local_file(
    daemon: RunningDaemon, tmp_path: Path, programs: Dict[str, str]
) -> None:
    (tmp_path / "local_data.csv").write_bytes(b"a,b\r\n1,2\r\n")
    lines = printed(daemon, tmp_path, programs["Upload a Local File"]).splitlines()
    assert "data.csv (10 bytes)" in lines


def test_download_a_file(daemon: RunningDaemon, tmp_path: Path, programs: Dict[str, str]) -> None:
    text = programs["Download a File from the Sandbox"]
    assert printed(daemon, tmp_path, text) == "Downloaded 18 bytes\n"
    assert (tmp_path / "downloaded_results.txt").read_bytes() == b"analysis complete\n"


def test_upload_a_directory(
    daemon: RunningDaemon, tmp_path: Path, programs: Dict[str, str]
) -> None:
    project = tmp_path / "my_project"
    (project / "not-a-file").mkdir(parents=True)
    (project / "main.py").write_bytes(b"print('hi')\n")
    (project / "data é.bin").write_bytes(bytes(range(256)))
    (project / "empty").write_bytes(b"")
    uploaded, listed = printed(daemon, tmp_path, programs["Upload a Directory"]).split("\n\n")
    assert sorted(uploaded.splitlines()) == [
        "Uploaded data é.bin",
        "Uploaded empty",
        "Uploaded main.py",
    ]
    assert listed.splitlines() == [
        "3 files in sandbox:",
        "  data é.bin (256 bytes)",
        "  empty (0 bytes)",
        "  main.py (12 bytes)",
    ]


# The page's sandbox is new, so the directory that it lists is not there: its reader would have run
# something before. What that was is done here by a module that the program's Python loads first.
READERS_EARLIER_STEP = """
import sandport.agent_sandbox as sut

create_sandbox = sut.SandboxClient.create_sandbox


def create_used_sandbox(*args, **kwargs):
    sandbox = create_sandbox(*args, **kwargs)
    sandbox.commands.run("mkdir -p /home/user/output/charts")
    sandbox.files.write("output/report.csv", "x,y\\n")
    sandbox.files.write("output/plot.png", bytes(5000))
    sandbox.files.write("output/charts/inner.txt", "not a file of the directory itself")
    return sandbox


sut.SandboxClient.create_sandbox = create_used_sandbox
"""


def test_download_multiple_files(
    daemon: RunningDaemon,
    tmp_path: Path,
    programs: Dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(READERS_EARLIER_STEP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "start"))
    assert printed(daemon, tmp_path, programs["Download Multiple Files"]).splitlines() == [
        "Downloaded plot.png (5000 bytes)",
        "Downloaded report.csv (4 bytes)",
    ]
    local = tmp_path / "downloaded_output"
    assert {path.name: path.read_bytes() for path in local.iterdir()} == {
        "plot.png": bytes(5000),
        "report.csv": b"x,y\n",
    }


def test_download_multiple_files_of_a_new_sandbox(
    daemon: RunningDaemon, tmp_path: Path, programs: Dict[str, str]
) -> None:
    before = {sandbox.id for sandbox in sandport.Sandbox.list()}
    done = run_program(daemon, tmp_path, programs["Download Multiple Files"])
    for sandbox in sandport.Sandbox.list():
        if sandbox.id not in before:  # The program ends before its `terminate()`.
            sandbox.kill()
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert lines[1].startswith(f'  File "{tmp_path}/program.py", line')
    assert lines[-1].startswith("sandport.agent_sandbox.exceptions.SandboxRequestError: ")
    assert "/home/user/output" in lines[-1]


def test_end_to_end(daemon: RunningDaemon, tmp_path: Path, programs: Dict[str, str]) -> None:
    (tmp_path / "input.csv").write_bytes(b"name,n\r\nx,1\r\ny,2\r\n")
    text = programs["End-to-End Example: Upload, Process, Download"]
    assert printed(daemon, tmp_path, text) == "Processed 3 rows\n\n"
    assert (tmp_path / "output.csv").read_bytes().split() == [b"name,n", b"x,1", b"y,2"]


ASYNCHRONOUS = """
import asyncio
import sys
from k8s_agent_sandbox import AsyncSandboxClient
from k8s_agent_sandbox.models import SandboxDirectConnectionConfig


async def main():
    config = SandboxDirectConnectionConfig(api_url="http://router.example:8080")
    async with AsyncSandboxClient(connection_config=config) as client:
        boxes = await asyncio.gather(
            *(client.create_sandbox("python-sandbox-pool") for _ in range(3))
        )
        results = await asyncio.gather(
            *(box.commands.run(f"echo {number}") for number, box in enumerate(boxes))
        )
        print(sys.argv[1:], [result.stdout for result in results])


asyncio.run(main())
"""


def test_an_asynchronous_program(daemon: RunningDaemon, tmp_path: Path) -> None:
    said = printed(daemon, tmp_path, ASYNCHRONOUS, "a", "-m")
    assert said == "['a', '-m'] ['0\\n', '1\\n', '2\\n']\n"


FOUND_AGAIN = """
import sys
from k8s_agent_sandbox import SandboxClient
from k8s_agent_sandbox.exceptions import SandboxNotFoundError

step, name = sys.argv[1:]
client = SandboxClient(cleanup=step == "clean up")
if step == "make":
    sandbox = client.create_sandbox("base", labels={"who": "test", "name": name}, claim_name=name)
    sandbox.files.write("kept", "by the first")
    client.create_sandbox("base", labels={"who": "another"}, shutdown_after_seconds=600)
elif step == "find":
    assert name in client.list_all_sandboxes(label_selector="who in (test),!other")
    assert client.list_all_sandboxes(label_selector=f"who!=another,name={name}") == [name]
    print(client.get_sandbox(name).files.read("kept").decode())
    print(client.get_sandbox_claim_warmpool_name(name, "default"))
elif step == "clean up":
    mine = client.create_sandbox("base", labels={"who": "another"})
    for each in client.list_all_sandboxes(label_selector="who=another"):
        client.get_sandbox(each)
else:
    client.delete_sandbox(name)
    try:
        client.get_sandbox(name)
    except SandboxNotFoundError as error:
        print("gone")
"""


def test_sandboxes_are_found_by_other_processes(daemon: RunningDaemon, tmp_path: Path) -> None:
    name = "test.found-again"

    def step(what: str) -> List[str]:
        done = run_program(daemon, tmp_path, FOUND_AGAIN, what, name)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert step("make") == []
    assert step("find") == ["by the first", "base"]
    # What one process made, and what this one made, goes with the end of this one.
    assert step("clean up") == []
    assert step("delete") == ["gone"]
    left = [box for box in sandport.Sandbox.list() if "who" in box.info.metadata]
    assert left == []
