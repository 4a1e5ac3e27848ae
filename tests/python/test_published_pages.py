"""The Python programs of two published pages, run as scripts against a real daemon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest
from published_pages import (
    FILESYSTEM,
    PUBLISHED_IMPORT,
    UPLOAD_DOWNLOAD,
    programs_of_the_first_page,
    python_calls,
    snippets_of_the_second_page,
)
from running_daemon import RunningDaemon

import sandport

PROGRAMS = dict(programs_of_the_first_page())
SNIPPETS = snippets_of_the_second_page()


def run_script(
    daemon: RunningDaemon, directory: Path, text: str
) -> subprocess.CompletedProcess[str]:
    (directory / "script.py").write_text(text, "utf-8")
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=directory,
        env=daemon.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


def output_of(daemon: RunningDaemon, directory: Path, text: str) -> str:
    """What a script that must succeed prints. It must not leave a sandbox behind."""
    before = {sandbox.id for sandbox in sandport.Sandbox.list()}
    done = run_script(daemon, directory, text)
    assert done.returncode == 0, done.stderr
    assert {sandbox.id for sandbox in sandport.Sandbox.list()} <= before
    return done.stdout


def test_no_program_is_forgotten() -> None:
    assert len(PROGRAMS) == UPLOAD_DOWNLOAD.count(PUBLISHED_IMPORT) == 5
    together = "".join(PROGRAMS.values())
    for call in ("sandbox.files.", "sandbox.commands.", "sandbox.terminate("):
        in_prose = 2 if call == "sandbox.files." else 0
        assert together.count(call) == UPLOAD_DOWNLOAD.count(call) - in_prose
    assert sum(python_calls(snippet) for snippet in SNIPPETS) == python_calls(FILESYSTEM) == 8
    assert len(SNIPPETS) == 4


def test_upload_a_local_file(daemon: RunningDaemon, tmp_path: Path) -> None:
    (tmp_path / "local_data.csv").write_bytes(b"a,b\r\n1,2\r\n")
    printed = output_of(daemon, tmp_path, PROGRAMS["Upload a Local File"])
    assert "data.csv (10 bytes)" in printed.splitlines()


def test_download_a_file(daemon: RunningDaemon, tmp_path: Path) -> None:
    printed = output_of(daemon, tmp_path, PROGRAMS["Download a File from the Sandbox"])
    assert printed == "Downloaded 18 bytes\n"
    assert (tmp_path / "downloaded_results.txt").read_bytes() == b"analysis complete\n"


def test_upload_a_directory(daemon: RunningDaemon, tmp_path: Path) -> None:
    project = tmp_path / "my_project"
    (project / "not-a-file").mkdir(parents=True)
    contents: Dict[str, bytes] = {
        "main.py": b"print('hi')\n",
        "data é.bin": bytes(range(256)),
        "empty": b"",
    }
    for name, data in contents.items():
        (project / name).write_bytes(data)
    printed = output_of(daemon, tmp_path, PROGRAMS["Upload a Directory"])
    uploaded, listed = printed.split("\n\n")
    assert sorted(uploaded.splitlines()) == sorted(f"Uploaded {name}" for name in contents)
    assert listed.splitlines() == [
        "3 files in sandbox:",
        "  data é.bin (256 bytes)",
        "  empty (0 bytes)",
        "  main.py (12 bytes)",
    ]


# The page's sandbox is new, so the directory that it lists cannot exist yet. Its reader would have
# run something before that writes there. So the program runs twice, its text the same both times:
# as it stands, where it must say that the directory is missing, and with `create_sandbox` extended
# by what the reader would have run first.

READERS_EARLIER_STEP = """
import runpy

from sandport import SandboxClient

create_sandbox = SandboxClient.create_sandbox


def create_used_sandbox(*args, **kwargs):
    sandbox = create_sandbox(*args, **kwargs)
    sandbox.commands.run("mkdir -p /home/user/output/charts")
    sandbox.files.write("output/report.csv", "x,y\\n")
    sandbox.files.write("output/plot.png", bytes(5000))
    sandbox.files.write("output/charts/inner.txt", "not a file of the directory itself")
    return sandbox


SandboxClient.create_sandbox = create_used_sandbox
runpy.run_path("published.py", run_name="__main__")
"""


def test_download_multiple_files(daemon: RunningDaemon, tmp_path: Path) -> None:
    (tmp_path / "published.py").write_text(PROGRAMS["Download Multiple Files"])
    printed = output_of(daemon, tmp_path, READERS_EARLIER_STEP)
    assert printed.splitlines() == [
        "Downloaded plot.png (5000 bytes)",
        "Downloaded report.csv (4 bytes)",
    ]
    local = tmp_path / "downloaded_output"
    assert {path.name: path.read_bytes() for path in local.iterdir()} == {
        "plot.png": bytes(5000),
        "report.csv": b"x,y\n",
    }


def test_download_multiple_files_of_a_new_sandbox(daemon: RunningDaemon, tmp_path: Path) -> None:
    before = {sandbox.id for sandbox in sandport.Sandbox.list()}
    done = run_script(daemon, tmp_path, PROGRAMS["Download Multiple Files"])
    for sandbox in sandport.Sandbox.list():
        if sandbox.id not in before:  # The program ends before its `terminate()`.
            sandbox.kill()
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "NotFoundError" in last
    assert "/home/user/output" in last


def test_end_to_end(daemon: RunningDaemon, tmp_path: Path) -> None:
    (tmp_path / "input.csv").write_bytes(b"name,n\r\nx,1\r\ny,2\r\n")
    printed = output_of(daemon, tmp_path, PROGRAMS["End-to-End Example: Upload, Process, Download"])
    assert printed == "Processed 3 rows\n\n"
    assert (tmp_path / "output.csv").read_bytes().split() == [b"name,n", b"x,1", b"y,2"]


PRELUDE = """
import json
from sandport import Sandbox

sandbox = Sandbox.create()
cfg = {"a": [1, 2]}
p = "/workspace/words.txt"
local, remote = "local.csv", "/workspace/remote.csv"
sandbox.commands.run("cd /workspace; echo grüße > words.txt; echo done > result.csv", check=True)
"""

EPILOGUES = [
    """
assert text == b"hello\\n"
assert sandbox.filesystem.read("/workspace/data.csv") == open("local.csv", "rb").read()
assert open("out.csv", "rb").read() == b"done\\n"
""",
    'assert sandbox.filesystem.read(p).decode() == "grüße\\n"\n',
    """
assert json.loads(sandbox.filesystem.read("/workspace/config.json")) == cfg
assert sandbox.filesystem.read("/workspace/model.bin") == open("model.bin", "rb").read()
""",
    "assert sandbox.filesystem.read(remote) == open(local, 'rb').read()\n",
]


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_filesystem_page(daemon: RunningDaemon, tmp_path: Path, number: int) -> None:
    (tmp_path / "local.csv").write_bytes(b"1,2\n" * 1000)
    (tmp_path / "model.bin").write_bytes(bytes(range(256)) * 999)
    text = PRELUDE + SNIPPETS[number] + EPILOGUES[number] + "sandbox.kill()\n"
    output_of(daemon, tmp_path, text)


def test_what_the_filesystem_page_says_of_results(daemon: RunningDaemon) -> None:
    """Return values, errors and volumes that the page describes in prose."""
    volume = [{"name": "training-data", "readOnly": False}]
    with sandport.Sandbox.create(volumes=volume) as sandbox:
        assert sandbox.filesystem.write("/workspace/input.txt", "hello\n") == {
            "path": "/workspace/input.txt",
            "bytes": 6,
        }
        with pytest.raises(sandport.NotFoundError):
            sandbox.filesystem.read("/workspace/nothing")
        sandbox.filesystem.write("/workspace/new/parents/a b ü.txt", "x")
        assert sandbox.filesystem.read("/workspace/new/parents/a b ü.txt") == b"x"
        sandbox.filesystem.write("/mnt/training-data/kept.txt", "kept")
    read_only = [{"name": "training-data", "readOnly": True}]
    with sandport.Sandbox.create(template="base", volumes=read_only) as sandbox:
        assert sandbox.filesystem.read("/mnt/training-data/kept.txt") == b"kept"
        with pytest.raises(sandport.PermissionError) as caught:
            sandbox.filesystem.write("/mnt/training-data/kept.txt", "changed")
        assert caught.value.code == "read_only"
        assert sandbox.commands.run("echo changed > /mnt/training-data/kept.txt").exit_code != 0
        assert sandbox.commands.run("cat /mnt/training-data/kept.txt").stdout == "kept"
