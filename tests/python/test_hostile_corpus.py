"""Unpacks the corpus of hostile archives on this machine, with limits where it asks for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hostile_archives import HostileArchive, hostile_archives
from trees import describe, unpack

from sandport import SandportError
from sandport._tree.extract import ExtractLimits

# What the corpus puts outside of its target, and what lies there already.
ESCAPED = "sandport-escaped"
CANARY = "canary"


@pytest.mark.parametrize("archive", hostile_archives(), ids=lambda archive: archive.name)
@pytest.mark.parametrize("unsafe_links", ["skip", "error", "keep"])
def test_nothing_gets_out(archive: HostileArchive, unsafe_links: str, tmp_path: Path) -> None:
    (tmp_path / CANARY).write_bytes(b"canary")
    target = tmp_path / "below" / "target"
    target.mkdir(parents=True)
    (target / "innocent.txt").write_bytes(b"innocent")
    before = describe(tmp_path, times=False, rules=["/below/target/*"])
    more = {
        key: value
        for key, value in (("max_bytes", archive.max_bytes), ("max_entries", archive.max_entries))
        if value is not None
    }
    limits = ExtractLimits(unsafe_links=unsafe_links, **more)
    pieces = [archive.data[start : start + 777] for start in range(0, len(archive.data), 777)]
    try:
        unpack(target, pieces, limits=limits, gzip=archive.data.startswith(b"\x1f\x8b"))
    except SandportError:
        pass
    else:
        assert archive.outcome == "contained", archive.why
    assert describe(tmp_path, times=False, rules=["/below/target/*"]) == before
    assert set(before) == {CANARY, "below", "below/target"}
    assert (target / "innocent.txt").stat().st_nlink == 1
    assert (target / "innocent.txt").read_bytes() == b"innocent"
    assert (tmp_path / CANARY).stat().st_nlink == 1
    assert not os.path.exists(f"/tmp/{ESCAPED}")
