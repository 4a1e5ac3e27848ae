"""The agent-sandbox style of the clients against a real daemon."""

from __future__ import annotations

from pathlib import Path

from running_daemon import RunningDaemon

import sandport
from sandport import SandboxClient


def test_the_client_of_agent_sandbox(daemon: RunningDaemon) -> None:
    with SandboxClient() as client:
        box = client.create_sandbox(
            "python-sandbox-template", labels={"k": "client"}, shutdown_after_seconds=300
        )
        box.files.write("notes/a.txt", "a")
        assert box.files.read("/home/user/notes/a.txt") == b"a"
        assert box.commands.run("cat ~/notes/a.txt").stdout == "a"
        box.commands.run("cd ~/notes && ln -s . loop && ln -s a.txt link && ln -s none broken")
        entries = box.files.list("notes")
        assert [(entry.name, entry.type) for entry in entries] == [
            ("a.txt", "file"),
            ("broken", "symlink"),
            ("link", "file"),
            ("loop", "directory"),
        ]
        assert isinstance(entries[0].mod_time, float)
        box.files.delete("notes", recursive=True)
        assert not box.files.exists("notes")
        assert client.list_active_sandboxes() == [("default", box.claim_name)]
        assert client.list_all_sandboxes("default", "k=client") == [box.claim_name]
        assert client.get_sandbox(box.claim_name).id == box.id
    assert SandboxClient().list_all_sandboxes("default", "k=client") == []


def test_relative_paths(daemon: RunningDaemon, tmp_path: Path) -> None:
    """Relative paths of the agent-sandbox style."""
    client = sandport.SandboxClient()
    with client:
        box = client.create_sandbox()
        (tmp_path / "f").write_bytes(b"x")
        box.files.upload_dir(tmp_path, "up")
        assert box.files.read("/home/user/up/f") == b"x"
        assert [entry.name for entry in box.files.list("up")] == ["f"]
        box.files.move("up/f", "up/g")
        box.files.write_files([("up/h", "y")])
        assert sorted(entry.name for entry in box.files.list("up")) == ["g", "h"]
