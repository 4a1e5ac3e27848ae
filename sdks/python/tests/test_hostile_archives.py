"""A guest made the archive: nothing outside of the target may change, and every refusal is one of
our own errors."""

from __future__ import annotations

import contextlib
import os
import struct
import tarfile
import tracemalloc
import zlib
from pathlib import Path
from typing import Iterator, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import END, describe, member, pack, tar_of, unpack

from sandport import BadRequestError, LocalFileError, SandportError, TooLargeError
from sandport._tar.header import entry_header
from sandport._tar.reader import MAX_EXTENDED_BYTES
from sandport._tree.extract import ExtractLimits

LINK, HARD, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A directory whose surroundings must not change."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (outside / "secret").chmod(0o600)
    before = describe(outside)
    root = tmp_path / "target"
    root.mkdir()
    yield root
    assert describe(outside) == before
    assert sorted(os.listdir(tmp_path)) == ["outside", "target"]
    left = [name for _, _, names in os.walk(root) for name in names if name.endswith(".part")]
    assert left == []


def refused(target: Path, *parts: bytes, code: str = "unsafe_archive") -> SandportError:
    with pytest.raises(SandportError) as caught:
        unpack(target, [*parts, END])
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.mark.parametrize(
    "name",
    ["/etc/x", "//x", "../x", "a/../../x", "a/..", "..", "./../x", "../outside/secret", "x/../y"],
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, DIR, LINK, HARD])
def test_names_that_lead_elsewhere(target: Path, name: str, kind: bytes) -> None:
    refused(target, member("a", DIR), member(name, kind, linkname="a" if kind != HARD else "f"))


@pytest.mark.parametrize("name", ["", ".", "./", "/"])
def test_a_file_without_a_name(target: Path, name: str) -> None:
    refused(target, member(name, data=b"x"))


@pytest.mark.parametrize("goal", ["../outside", "/", "/tmp", ".", "inside"])
@pytest.mark.parametrize("unsafe_links", ["skip", "keep"])
def test_nothing_is_written_through_links_of_the_archive(
    target: Path, goal: str, unsafe_links: str
) -> None:
    archive = [
        member("inside", DIR),
        member("link", LINK, linkname=goal),
        member("link/secret", data=b"overwritten"),
        END,
    ]
    limits = ExtractLimits(unsafe_links=unsafe_links)
    with pytest.raises(BadRequestError) as caught:
        unpack(target, archive, limits=limits)
    assert caught.value.code == "unsafe_archive"


def test_nothing_is_written_through_links_that_are_there(target: Path) -> None:
    (target / "down").symlink_to("../outside")
    (target / "file").symlink_to("../outside/secret")
    refused(target, member("down/secret", data=b"x"))
    refused(target, member("down", DIR))
    refused(target, member("down/new", LINK, linkname="x"))
    unpack(target, [member("file", data=b"mine"), END])
    assert not (target / "file").is_symlink()
    assert (target / "file").read_bytes() == b"mine"


def test_a_file_becomes_a_link_and_is_used_as_a_directory(target: Path) -> None:
    refused(
        target,
        member("a", data=b"x"),
        member("a", LINK, linkname="."),
        member("a/b", data=b"x"),
    )
    refused(target, member("f", data=b"x"), member("f/b", data=b"x"))


@pytest.mark.parametrize(
    "goal",
    ["../outside/secret", "/etc/passwd", "there", "missing", "link", "dir", ""],
)
def test_hard_links_reach_only_files_of_this_archive(target: Path, goal: str) -> None:
    (target / "there").write_bytes(b"of the user")
    refused(
        target,
        member("dir", DIR),
        member("link", LINK, linkname="dir/x"),
        member("hard", HARD, linkname=goal),
    )
    assert (target / "there").stat().st_nlink == 1


def test_a_hard_link_to_a_file_that_a_link_replaced(target: Path) -> None:
    refused(
        target,
        member("a", data=b"x"),
        member("a", LINK, linkname="b"),
        member("hard", HARD, linkname="a"),
    )


@pytest.mark.parametrize("kind", [b"3", b"4", b"6", b"7", b"S", b"D", b"M", b"V", b"\xff"])
def test_other_kinds_of_entries(target: Path, kind: bytes) -> None:
    refused(target, member("device", kind))
    assert os.listdir(target) == []


def test_bits_and_owners_are_not_kept(target: Path) -> None:
    unpack(target, [member("f", data=b"x", mode=0o7755, uid=12345, gid=12345), END])
    status = (target / "f").stat()
    assert (status.st_mode & 0o7777, status.st_uid) == (0o755, os.getuid())


def test_limits(target: Path) -> None:
    entries = [member(f"f{index}", data=b"12345") for index in range(4)]
    for limits in (ExtractLimits(max_entries=3), ExtractLimits(max_bytes=19)):
        with pytest.raises(TooLargeError):
            unpack(target, [*entries, END], limits=limits)
    unpack(target, [*entries, END], limits=ExtractLimits(max_entries=4, max_bytes=20))
    huge = entry_header(b"0", "huge", mode=0o644, size=2**62)
    with pytest.raises(TooLargeError):
        unpack(target, [huge])


@pytest.mark.parametrize("name", ["x" * 256, "/".join(["d"] * 3000), "ü\0hidden", "a/" + "ü" * 128])
def test_names_that_no_file_can_have(target: Path, name: str) -> None:
    header = entry_header(b"0", "d/" + name, mode=0o644)
    refused(target, header)


def test_a_deep_tree(target: Path) -> None:
    deep = "/".join(["d"] * 500)
    unpack(target, [member(deep + "/f", data=b"deep"), member("g", data=b"flat"), END])
    descriptor = os.open(target, os.O_RDONLY)
    for _ in range(500):
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    assert os.listdir(descriptor) == ["f"]
    os.close(descriptor)


def extended(kind: bytes, size: int) -> bytes:
    header = bytearray(entry_header(b"0", "h", mode=0o644, size=min(size, 0o77777777777)))
    header[156:157] = kind
    if size > 0o77777777777:
        header[124:136] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
@pytest.mark.parametrize("size", [0, MAX_EXTENDED_BYTES + 1, 10 * 2**30, 2**70])
def test_huge_extended_headers_are_refused_before_they_come(
    target: Path, kind: bytes, size: int
) -> None:
    refused(target, extended(kind, size), code="invalid_archive")


def test_endless_extended_headers(target: Path) -> None:
    one = extended(b"x", 12) + b"12 abcd=ef\n\n".ljust(512, b"\0")
    assert len(one) == 1024
    refused(target, *[extended(b"L", 3) + b"abc".ljust(512, b"\0")] * 100, code="invalid_archive")


@pytest.mark.parametrize(
    "record",
    [
        b"path=x\n",
        b"9999 path=x\n",
        b"0 path=x\n",
        b"3 path=x\n",
        b"-1 path=x\n",
        b"11 path=xy\0",
        b"12 mtime=x1\n",
        b"11 size=-1\n",
        b"11 size=1e\n",
        b"31 size=99999999999999999999999\n",
        b"\xff" * 64,
    ],
)
def test_broken_records(target: Path, record: bytes) -> None:
    header = extended(b"x", len(record)) + record + bytes(-len(record) % 512)
    refused(target, header, member("f"), code="invalid_archive")


def test_sparse_files_and_global_names_are_refused(target: Path) -> None:
    sparse = member("f", data=b"x", pax_headers={"GNU.sparse.major": "1"})
    refused(target, sparse)
    record = b"10 path=f\n"
    header = extended(b"g", len(record)) + record + bytes(512 - len(record))
    refused(target, header, member("f"), code="invalid_archive")


def test_sizes_of_what_has_none(target: Path) -> None:
    for kind in (b"1", b"2", b"5"):
        refused(target, extended(kind, 1000) + bytes(1024), code="invalid_archive")


def test_times_of_any_size(target: Path) -> None:
    for text in ("99999999999999", "-99999999999999", "0.000000000000001", "-0.5"):
        unpack(target, [member("f", pax_headers={"mtime": text}), END])
    unpack(target, [member("f", pax_headers={"mtime": "-0.5"}), END])
    assert (target / "f").stat().st_mtime_ns == -500_000_000


def test_damage(target: Path) -> None:
    good = member("f", data=b"x" * 600)
    for index in (0, 100, 148, 156, 300):
        bad = bytearray(good)
        bad[index] ^= 1
        refused(target, bytes(bad), code="invalid_archive")
    for cut in (1, 511, 512, 700, len(good), len(good) + 512):
        with pytest.raises(BadRequestError) as caught:
            unpack(target, [(good + END)[:cut]])
        assert caught.value.code == "invalid_archive"
    refused(target, bytes(512), good, code="invalid_archive")
    refused(target, b"not a tar archive at all ".ljust(512, b"!"), code="invalid_archive")
    unpack(target, [good, END, bytes(10_240)])
    with pytest.raises(BadRequestError):
        unpack(target, [good, END, *[bytes(2**20)] * 3])


def test_a_directory_where_a_file_should_be(target: Path) -> None:
    with pytest.raises(LocalFileError) as caught:
        unpack(target, [member("d", DIR), member("d", data=b"x"), END])
    assert caught.value.details["local_path"].endswith("/d")


def test_a_bomb_takes_no_memory(target: Path) -> None:
    """A hundred megabytes of zeros out of a hundred kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    size = 100 * 2**20
    pieces: List[bytes] = [packer.compress(entry_header(b"0", "zeros", mode=0o644, size=size))]
    pieces += [packer.compress(bytes(2**20)) for _ in range(100)]
    pieces.append(packer.compress(END) + packer.flush())
    bomb = b"".join(pieces)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            unpack(target, [bomb], gzip=True, limits=ExtractLimits(max_bytes=2**20))
        unpack(target, [bomb], gzip=True)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert (target / "zeros").stat().st_size == size
    with pytest.raises(BadRequestError, match="gzip"):
        unpack(target, [b"plain"], gzip=True)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_bytes_raise_anything_else(target: Path, data: st.DataObject) -> None:
    """Archives with bytes changed at random, in pieces of any size."""
    archive = bytearray(
        member("d", DIR)
        + member("d/ü" + "x" * 120, data=b"content" * 100, pax_headers={"mtime": "1.5"})
        + member("l", LINK, linkname="d")
        + member("h", HARD, linkname="d/ü" + "x" * 120)
        + tar_of({"y" * 150: b"gnu"})
    )
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(archive) - 1))
        archive[place] = data.draw(st.integers(0, 255))
        if data.draw(st.booleans()):  # With a checksum that fits.
            block = place // 512 * 512
            archive[block + 148 : block + 156] = b" " * 8
            total = sum(archive[block : block + 512])
            archive[block + 148 : block + 156] = b"%06o\0 " % (total & 0o777777)
    step = data.draw(st.integers(1, 2000))
    pieces = [bytes(archive[start : start + step]) for start in range(0, len(archive), step)]
    limits = ExtractLimits(max_bytes=2**20)
    with contextlib.suppress(SandportError):
        unpack(target, pieces, limits=limits)


def test_binary_numbers(target: Path) -> None:
    header = bytearray(entry_header(b"0", "f", mode=0o644, size=3))
    header[124:136] = b"\x80" + (3).to_bytes(11, "big")
    header[136:148] = b"\xff" * 4 + struct.pack(">q", -2)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    unpack(target, [bytes(header), b"abc".ljust(512, b"\0"), END])
    assert (target / "f").stat().st_mtime == -2
    assert pack(target)
