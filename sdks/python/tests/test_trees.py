"""Directories packed and unpacked here, without a daemon between."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Dict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import build, describe, pack, trees, unpack

from sandport import LocalFileError
from sandport._progress import Progress
from sandport._tree.confined import links_outside
from sandport._tree.ignore import Ignore, read_rules
from sandport._tree.pack import packed
from sandport._tree.scan import walk
from sandport.tree_models import TreeResult


@settings(max_examples=60)
@given(trees(), st.sampled_from(["none", "gzip"]), st.integers(1, 5000))
def test_any_tree_survives(tree: Dict[str, Any], compression: str, step: int) -> None:
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        source, target = Path(directory, "source"), Path(directory, "target")
        source.mkdir()
        build(source, tree)
        data = b"".join(pack(source, compression))
        pieces = [data[start : start + step] for start in range(0, len(data), step)]
        unpack(target, pieces, gzip=compression == "gzip")
        assert describe(target) == describe(source)


@settings(max_examples=30)
@given(trees())
def test_python_and_gnu_tar_read_it(tree: Dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        source, target = Path(directory, "source"), Path(directory, "target")
        source.mkdir()
        target.mkdir()
        build(source, tree)
        data = b"".join(pack(source))
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            assert sorted(tar.getnames()) == sorted(describe(source))
        command = ["tar", "-C", str(target), "-xpf", "-"]
        subprocess.run(command, input=data, check=True, capture_output=True)
        assert describe(target) == describe(source)


@settings(max_examples=30)
@given(trees(), st.sampled_from(["gnu", "pax", "ustar"]))
def test_archives_of_gnu_tar(tree: Dict[str, Any], form: str) -> None:
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        source, target = Path(directory, "source"), Path(directory, "target")
        source.mkdir()
        build(source, tree)
        command = ["tar", f"--format={form}", "-C", str(source), "-cf", "-", "."]
        made = subprocess.run(command, capture_output=True)
        if made.returncode != 0:
            return  # A name that ustar cannot hold.
        unpack(target, [made.stdout])
        assert describe(target, times=form == "pax") == describe(source, times=form == "pax")


def test_hard_links(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub").mkdir(parents=True)
    (source / "a").write_bytes(b"shared")
    os.link(source / "a", source / "sub" / "b")
    for _ in range(2):
        unpack(target, pack(source))
    assert (target / "a").stat().st_ino == (target / "sub/b").stat().st_ino
    assert describe(target) == describe(source)


def test_read_only_directories(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "closed" / "below").mkdir(parents=True)
    (source / "closed" / "below" / "f").write_bytes(b"x")
    for name in ("closed/below", "closed"):
        (source / name).chmod(0o500)
    try:
        for _ in range(2):
            unpack(target, pack(source))
        assert describe(target) == describe(source)
    finally:
        for root in (source, target):
            for name in ("closed", "closed/below"):
                (root / name).chmod(0o700)


def test_files_that_change_while_they_are_packed(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(5 * 2**20))

    def shorten() -> None:
        os.truncate(big, 10)

    def touch() -> None:
        os.utime(big, ns=(1, 1))

    for change in (shorten, touch):
        big.write_bytes(bytes(5 * 2**20))
        entries = walk(str(tmp_path), Ignore([]), lambda _path, _reason: None)
        chunks = packed(str(tmp_path), entries, TreeResult(), Progress())
        next(chunks)
        change()
        with pytest.raises(LocalFileError, match="changed while it was sent"):
            list(chunks)


def test_what_cannot_be_sent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "f").write_bytes(b"x")
    not_utf8 = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(not_utf8)
    Path(os.fsdecode(not_utf8 + b"/below")).write_bytes(b"")
    with tarfile.open(fileobj=io.BytesIO(b"".join(pack(tmp_path)))) as tar:
        assert tar.getnames() == ["f"]
    skipped: Dict[str, str] = {}
    list(walk(str(tmp_path), Ignore([]), skipped.__setitem__))
    assert skipped == {
        "pipe": "it is neither a file nor a directory nor a symbolic link",
        "\ufffd": "its name is not UTF-8",
    }


@pytest.mark.parametrize(
    ("parent", "goal", "outside"),
    [
        ((), "a", False),
        ((), "a/b", False),
        ((), ".", False),
        ((), "..", True),
        ((), "/a", True),
        ((), "", True),
        (("d",), "../a", False),
        (("d",), "..", False),
        (("d",), "../../a", True),
        (("d",), "./.././a", False),
        # `x` may be a link that leads up: then `x/..` is not the directory that it seems.
        (("d",), "x/../a", True),
    ],
)
def test_which_links_lead_outside(parent: Any, goal: str, outside: bool) -> None:
    assert links_outside(parent, goal.encode()) is outside


def test_ignore_rules(tmp_path: Path) -> None:
    (tmp_path / ".sandportignore").write_text("*.log\n# comment\nbuild/\n")
    rules = read_rules(str(tmp_path), ["!keep.log", "/only-top"], ".sandportignore")
    cases = {
        ("a.log", False): True,
        ("sub/a.log", False): True,
        ("keep.log", False): False,
        ("build", True): True,
        ("build", False): False,
        ("sub/build", True): True,
        ("build/x", False): True,
        ("only-top", False): True,
        ("sub/only-top", False): False,
    }
    found = {(path, kind): rules.matches(path, directory=kind) for path, kind in cases}
    assert found == cases
    assert not read_rules(str(tmp_path), None, None).matches("a.log", directory=False)
    with pytest.raises(TypeError):
        read_rules(str(tmp_path), "*.log", None)
