"""Volumes, with and without sandboxes, with the real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
from running_daemon import RunningDaemon

import sandport
from sandport import Client, Sandbox, VolumeMount


def test_a_volume_survives_kill_hibernation_and_fork(daemon: RunningDaemon) -> None:
    volumes = [VolumeMount("python-data")]
    with Sandbox.create(volumes=volumes) as first:
        first.commands.run("echo killed > /mnt/python-data/a", check=True)
    with Sandbox.create(volumes=volumes) as second:
        assert second.files.read("/mnt/python-data/a") == b"killed\n"
        second.hibernate()
        assert second.files.read("/mnt/python-data/a") == b"killed\n"
        second.commands.run("echo hibernated > /mnt/python-data/b", check=True)
        with second.fork() as child:
            assert child.commands.run("cat /mnt/python-data/b").stdout == "hibernated\n"
            child.commands.run("echo forked > /mnt/python-data/c", check=True)
        assert second.commands.run("cat /mnt/python-data/c").stdout == "forked\n"
        with pytest.raises(sandport.ConflictError) as used:
            Client().volumes.delete("python-data")
        assert used.value.code == "volume_in_use"
        assert Client().volumes.get("python-data").info.used_by == [second.id]
    Client().volumes.delete("python-data")
    with pytest.raises(sandport.NotFoundError):
        Client().volumes.get("python-data")


def test_read_only_mounts_at_other_places(daemon: RunningDaemon) -> None:
    volume = Client().volumes.create("python-read-only")
    volume.files.write("/kept", "kept")
    mounts = [{"name": volume.name, "read_only": True, "path": "/data/in"}]
    with Sandbox.create(volumes=mounts) as sandbox:
        assert sandbox.info.volumes == [VolumeMount(volume.name, True, "/data/in")]
        assert sandbox.commands.run("cat /data/in/kept").stdout == "kept"
        for cmd in ("echo x > /data/in/kept", "rm /data/in/kept", "touch /data/in/new"):
            assert sandbox.commands.run(cmd, user="root").exit_code != 0
        with pytest.raises(sandport.PermissionError):
            sandbox.files.write("/data/in/kept", "changed")
    assert volume.files.read("/kept") == b"kept"
    volume.delete()


def test_files_of_a_volume_need_no_sandbox(daemon: RunningDaemon, tmp_path: Path) -> None:
    volume = Client().volumes.create("python-files", 64, namespace="python-volumes")
    assert (volume.namespace, volume.info.size_mb) == ("python-volumes", 64)
    files = volume.files
    project = tmp_path / "project"
    (project / "sub").mkdir(parents=True)
    (project / "sub" / "a b é.bin").write_bytes(bytes(range(256)) * 1000)
    (project / "tool.sh").write_text("#!/bin/sh\n")
    (project / "tool.sh").chmod(0o755)
    assert files.upload_dir(project, "/project").files == 2
    assert files.stat("/project/tool.sh").permissions == "0755"
    assert files.sync_dir(project, "/project").bytes == 0
    files.upload(project / "tool.sh", "/copy/tool.sh")
    files.move("/copy/tool.sh", "/moved.sh")
    assert [entry.name for entry in files.list("/")] == ["copy", "moved.sh", "project"]
    assert [entry.name for entry in files.glob("**/*.bin")] == ["a b é.bin"]
    assert [match.path for match in files.search("bin/sh", "/").matches] == [
        "/moved.sh",
        "/project/tool.sh",
    ]
    files.download_dir("/project", tmp_path / "down")
    assert (tmp_path / "down" / "sub" / "a b é.bin").read_bytes() == bytes(range(256)) * 1000
    with files.watch("/project") as events:
        files.write("/project/new", "x")
        assert next(iter(events)).path == "/project/new"
    with pytest.raises(sandport.NotFoundError):
        Client().volumes.get("python-files")  # Of another namespace.
    with Sandbox.create(namespace="python-volumes", volumes=[{"name": "python-files"}]) as sandbox:
        assert sandbox.commands.run("sh /mnt/python-files/moved.sh").ok
    assert volume.refresh().used_by == []
    volume.delete()


def test_the_size_of_a_volume_is_enforced(daemon: RunningDaemon) -> None:
    volume = Client().volumes.create("python-small", 16)
    with pytest.raises(sandport.StorageFullError):
        volume.files.write("/large", bytes(24 * 1024 * 1024))
    assert volume.files.list("/") == []
    with pytest.raises(sandport.ConflictError) as other:
        Client().volumes.create("python-small", 32)
    assert other.value.code == "volume_exists"
    volume.delete()


@pytest.mark.parametrize("name", ["..", "a/b", "UPPER", "", "a" * 64, "é"])
def test_names_that_no_volume_has(daemon: RunningDaemon, name: str) -> None:
    with pytest.raises(sandport.BadRequestError):
        Client().volumes.create(name)
