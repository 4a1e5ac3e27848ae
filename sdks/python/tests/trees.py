"""Local directories and archives for tests."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from hypothesis import strategies as st

from sandport._progress import Progress
from sandport._tree.confined import ConfinedDirectory
from sandport._tree.extract import ExtractLimits, Extractor
from sandport._tree.ignore import Ignore
from sandport._tree.pack import packed
from sandport._tree.scan import walk
from sandport.tree_models import TreeResult

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)

_FILE = st.tuples(
    st.just("file"),
    st.binary(max_size=2000),
    st.integers(0, 0o777),
    st.integers(0, 2_000_000_000_999_999_999),
)
_LINK = st.tuples(st.just("symlink"), st.sampled_from(["x", "x/y", "ü" * 60, "a b"]))


def trees(leaves: int = 12) -> st.SearchStrategy[Dict[str, Any]]:
    """A directory: names with a file, a symlink or a directory behind each."""
    return st.dictionaries(
        NAMES,
        st.recursive(
            st.one_of(_FILE, _LINK),
            lambda inner: st.dictionaries(NAMES, inner, max_size=4),
            max_leaves=leaves,
        ),
        max_size=6,
    )


def build(root: Path, tree: Dict[str, Any]) -> None:
    for name, what in tree.items():
        path = root / name
        if isinstance(what, dict):
            path.mkdir()
            build(path, what)
            os.utime(path, ns=(1, 1_500_000_000_123_456_789))
        elif what[0] == "file":
            path.write_bytes(what[1])
            path.chmod(what[2] | 0o400)
            os.utime(path, ns=(what[3], what[3]))
        else:
            path.symlink_to(what[1])


Description = Dict[str, Tuple[Any, ...]]


def describe(root: Path, *, times: bool = True, rules: Iterable[str] = ()) -> Description:
    """All that a transfer must keep, by relative path."""
    found: Description = {}
    for entry in walk(str(root), Ignore(rules), lambda _path, _reason: None):
        path, status = root / entry.path, entry.status
        mtime = status.st_mtime_ns if times else None
        if entry.type == "symlink":
            found[entry.path] = ("symlink", os.readlink(path))
        elif entry.type == "directory":
            found[entry.path] = ("directory", entry.mode, mtime)
        else:
            found[entry.path] = ("file", entry.mode, mtime, path.read_bytes(), status.st_nlink)
    return found


def pack(root: Path, compression: str = "none", rules: Iterable[str] = ()) -> List[bytes]:
    entries = walk(str(root), Ignore(rules), lambda _path, _reason: None)
    return list(packed(str(root), entries, TreeResult(), Progress(), compression))


def unpack(
    root: Path,
    pieces: Iterable[bytes],
    *,
    limits: Optional[ExtractLimits] = None,
    rules: Iterable[str] = (),
    gzip: bool = False,
) -> TreeResult:
    with ConfinedDirectory(str(root)) as tree:
        tree.open()
        extractor = Extractor(tree, Ignore(rules), limits or ExtractLimits(), Progress(), gzip=gzip)
        try:
            for piece in pieces:
                extractor.feed([piece])
            return extractor.finish()
        finally:
            extractor.close()


def member(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", **more: Any) -> bytes:
    """One entry as Python's own module writes it, whatever its name."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode = kind, len(data), 0o644
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512)


END = bytes(1024)


def tar_of(files: Dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
