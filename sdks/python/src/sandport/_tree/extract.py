"""Unpacks the archive of a guest below a local directory."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Set, Tuple

from .._progress import Progress
from .._tar.header import DIRECTORY, FILE, HARD_LINK, SYMLINK
from .._tar.reader import TarEntry, TarReader, invalid
from ..errors import LocalFileError, make_error
from ..tree_models import SkippedEntry, TreeResult
from .confined import ConfinedDirectory, NewFile, Parts, links_outside, parts_of, unsafe
from .ignore import Ignore

MAX_ENTRIES = 1_000_000
MAX_BYTES = 64 * 1024**3
#: Skipped entries that are named; the others are only left out.
MAX_NAMED = 10_000

_UNPACKED_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ExtractLimits:
    max_entries: int = MAX_ENTRIES
    max_bytes: int = MAX_BYTES
    #: ``skip``, ``error`` or ``keep``: what to do with symlinks that lead outside.
    unsafe_links: str = "skip"

    def __post_init__(self) -> None:
        if self.unsafe_links not in ("skip", "error", "keep"):
            raise ValueError(
                f"unsafe_links must be 'skip', 'error' or 'keep', not {self.unsafe_links!r}"
            )


class Extractor:
    """Takes the archive piece by piece; a sink. Owners and the bits setuid, setgid and sticky are
    not kept."""

    def __init__(
        self,
        tree: ConfinedDirectory,
        ignore: Ignore,
        limits: ExtractLimits,
        progress: Progress,
        *,
        gzip: bool = False,
    ) -> None:
        self.result = TreeResult()
        self._tree = tree
        self._ignore = ignore
        self._limits = limits
        self._progress = progress
        self._reader = TarReader(self)
        self._unpacker = zlib.decompressobj(31) if gzip else None
        self._entries = 0
        self._bytes = 0
        self._entry: Optional[Tuple[TarEntry, Parts]] = None
        self._file: Optional[NewFile] = None
        #: Inodes of the files of this archive: only they may get a second name.
        self._made: Set[int] = set()
        self._links_left_out: Set[Parts] = set()
        self._directories: Dict[Parts, Tuple[int, int]] = {}

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        pass

    def report(self) -> None:
        self._progress.report()

    def feed(self, pieces: List[bytes]) -> None:
        """:raises SandportError: for everything that is wrong with the archive."""
        try:
            for piece in pieces:
                self._take(piece)
        except OSError as cause:
            raise self._local_error(cause) from cause

    def _take(self, piece: bytes) -> None:
        if self._unpacker is None:
            self._reader.feed(piece)
            return
        try:
            while piece:
                self._reader.feed(self._unpacker.decompress(piece, _UNPACKED_BYTES))
                piece = self._unpacker.unconsumed_tail
        except zlib.error as cause:
            raise invalid("it is not gzip") from cause

    def finish(self) -> TreeResult:
        """After the last piece: gives directories their modes and times.

        :raises SandportError: ``invalid_archive`` when the archive is not complete.
        """
        if self._unpacker is not None:
            self._reader.feed(self._unpacker.flush())
        self._reader.finish()
        try:
            # Deepest first: a mode may close the way to what is below.
            for parts in sorted(self._directories, key=len, reverse=True):
                self._tree.finish_directory(parts, *self._directories[parts])
        except OSError as cause:
            raise self._local_error(cause) from cause
        return self.result

    def close(self) -> None:
        """Throws a half-written file away."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def start(self, entry: TarEntry) -> None:
        self._entries += 1
        if self._entries > self._limits.max_entries:
            raise _too_large(f"{self._limits.max_entries} entries", "max_entries")
        self._bytes += entry.size
        if self._bytes > self._limits.max_bytes:
            raise _too_large(f"{self._limits.max_bytes} bytes", "max_bytes")
        parts = parts_of(entry.name)
        self._entry = (entry, parts)
        if self._links_left_out:
            self._check_way(parts, entry)
        if self._ignored(parts, entry.kind):
            return
        if entry.kind == DIRECTORY:
            self._make_directory(parts, entry)
        elif not parts:
            raise unsafe(entry.name, "only a directory can have this name")
        elif entry.kind == FILE:
            self._file = self._tree.create(parts)
        elif entry.kind == SYMLINK:
            self._make_symlink(parts, entry)
        elif entry.kind == HARD_LINK:
            self._make_hard_link(parts, entry)
        else:
            raise unsafe(entry.name, "it is no file, directory or link")

    def data(self, piece: memoryview) -> None:
        if self._file is not None:
            self._file.write(piece)
            self._progress.add(len(piece))

    def end(self) -> None:
        if self._file is None or self._entry is None:
            return
        entry, _ = self._entry
        file, self._file = self._file, None
        self._made.add(file.commit(entry.mode, entry.mtime_ns))
        self.result.files += 1
        self.result.bytes += entry.size
        self._progress.add(0, 1)

    def _make_directory(self, parts: Parts, entry: TarEntry) -> None:
        if not parts:  # The directory itself is the caller's.
            return
        self._tree.make_directory(parts)
        if parts not in self._directories:
            self.result.directories += 1
        self._directories[parts] = (entry.mode, entry.mtime_ns)

    def _make_symlink(self, parts: Parts, entry: TarEntry) -> None:
        if links_outside(parts[:-1], entry.goal) and self._limits.unsafe_links != "keep":
            if self._limits.unsafe_links == "error":
                raise unsafe(entry.name, "the symbolic link may lead outside of the directory")
            self._skip(parts, "the symbolic link may lead outside of the directory")
            self._links_left_out.add(parts)
            return
        if not entry.goal or b"\0" in entry.goal:
            raise unsafe(entry.name, "the text of the symbolic link cannot be")
        self._tree.symlink(parts, entry.goal, entry.mtime_ns)
        self.result.symlinks += 1

    def _check_way(self, parts: Parts, entry: TarEntry) -> None:
        """A link that was left out stays in the way of what the archive has below it."""
        for depth in range(1, len(parts)):
            if parts[:depth] in self._links_left_out:
                raise unsafe(entry.name, f"{parts[depth - 1]!r} on its way is a symbolic link")

    def _make_hard_link(self, parts: Parts, entry: TarEntry) -> None:
        existing = parts_of(entry.goal)
        if self._ignored(existing, FILE):
            self._skip(parts, "the file that it is a hard link to is left out")
            return
        if not existing or not self._tree.hard_link(parts, existing, self._made):
            raise unsafe(entry.name, "it is a hard link to no file of this archive")
        self.result.hard_links += 1

    def _ignored(self, parts: Parts, kind: bytes) -> bool:
        if not parts:
            return False
        return self._ignore.matches("/".join(parts), directory=kind == DIRECTORY)

    def _skip(self, parts: Parts, reason: str) -> None:
        if len(self.result.skipped) < MAX_NAMED:
            self.result.skipped.append(SkippedEntry("/".join(parts), reason))

    def _local_error(self, cause: OSError) -> LocalFileError:
        parts = self._entry[1] if self._entry is not None else ()
        shown = os.path.join(self._tree.root, *parts)
        shown = os.fsencode(shown).decode("utf-8", "replace")
        return LocalFileError(f"{shown} cannot be written: {cause.strerror or cause}.", shown)


def _too_large(limit: str, option: str) -> Exception:
    return make_error(
        f"The archive holds more than {limit}. Raise `{option}` if you trust it.",
        code="payload_too_large",
        details={"limit": limit},
    )
