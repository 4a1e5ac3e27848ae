"""Changes a local directory by names that somebody hostile may have chosen.

Every step goes through the descriptor of a directory and follows no symbolic link, so nothing
outside of the directory is ever touched, whatever lies in it. One process at a time is expected to
write to it: the directory itself is not the adversary, the names are.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from types import TracebackType
from typing import Container, Final, List, Optional, Sequence, Tuple, Type

from ..errors import LocalFileError, SandportError, make_error

#: Parts of a path below the directory; none is empty, ``.`` or ``..``.
Parts = Tuple[str, ...]

_DIRECTORY: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_CLOEXEC", 0)
_NANOS_LIMIT: Final = 2**63 - 1
#: Deepest path; the daemon takes none that is longer than 3,900 bytes.
_MAX_DEPTH: Final = 2048


def parts_of(name: bytes) -> Parts:
    """Parts of a relative name; empty for the directory itself.

    :raises SandportError: ``unsafe_archive`` for a name that leads elsewhere.
    """
    if name.startswith(b"/"):
        raise unsafe(name, "its name is absolute")
    if b"\0" in name:
        raise unsafe(name, "its name holds a NUL byte")
    parts = tuple(part for part in name.split(b"/") if part not in (b"", b"."))
    if b".." in parts:
        raise unsafe(name, "its name holds `..`")
    if len(parts) > _MAX_DEPTH or any(len(part) > 255 for part in parts):
        raise unsafe(name, "its name is too long")
    return tuple(os.fsdecode(part) for part in parts)


def unsafe(name: bytes, why: str) -> SandportError:
    shown = name[:300].decode("utf-8", "replace")
    return make_error(
        f"The entry {shown!r} is refused: {why}.",
        code="unsafe_archive",
        details={"path": shown},
    )


class ConfinedDirectory:
    """A local directory, made with its parents when it is missing. A context manager."""

    def __init__(self, root: str) -> None:
        if os.open not in os.supports_dir_fd or not _NO_FOLLOW:
            raise LocalFileError(
                "This system cannot keep a download inside of its directory. Pack the directory "
                "with a command and download the archive instead.",
                root,
            )
        self.root = root
        self._descriptor = -1
        # The directory that was used last, and its descriptor.
        self._parts: Parts = ()
        self._current = -1

    def open(self) -> None:
        os.makedirs(self.root, exist_ok=True)
        self._descriptor = os.open(self.root, _DIRECTORY)

    def __enter__(self) -> ConfinedDirectory:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._leave()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def enter(self, parts: Parts, *, make: bool) -> int:
        """Descriptor of a directory below; good until the next call.

        :raises SandportError: when there is something else, a symlink for example.
        """
        if parts == self._parts:
            return self._current if parts else self._descriptor
        known = len(self._parts)
        if known and parts[:known] == self._parts:
            rest: Sequence[str] = parts[known:]
            descriptor = os.dup(self._current)
        else:
            rest = parts
            descriptor = os.dup(self._descriptor)
        try:
            for part in rest:
                below = self._step(descriptor, part, parts, make)
                os.close(descriptor)
                descriptor = below
        except BaseException:
            os.close(descriptor)
            raise
        self._leave()
        self._parts, self._current = parts, descriptor
        return descriptor if parts else self._descriptor

    def _step(self, descriptor: int, part: str, parts: Parts, make: bool) -> int:
        for _ in range(2):
            try:
                return os.open(part, _DIRECTORY | _NO_FOLLOW, dir_fd=descriptor)
            except FileNotFoundError:
                if not make:
                    raise
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=descriptor)
            except OSError as cause:
                if _is_link_or_file(part, descriptor):
                    name = os.fsencode("/".join(parts))
                    raise unsafe(name, f"{part!r} on its way is no directory") from cause
                raise
        return os.open(part, _DIRECTORY | _NO_FOLLOW, dir_fd=descriptor)

    def _leave(self) -> None:
        if self._current >= 0:
            os.close(self._current)
        self._parts, self._current = (), -1

    def make_directory(self, parts: Parts) -> None:
        """A directory that its owner can use; :meth:`finish_directory` gives it its mode."""
        descriptor = self.enter(parts, make=True)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o700 != 0o700:
            os.fchmod(descriptor, mode | 0o700)

    def finish_directory(self, parts: Parts, mode: int, mtime_ns: int) -> None:
        descriptor = self.enter(parts, make=False)
        os.fchmod(descriptor, mode & 0o777)
        os.utime(descriptor, ns=_times(mtime_ns))

    def set_mode(self, parts: Parts, mode: int) -> None:
        """Of a file that is there."""
        parent = self.enter(parts[:-1], make=False)
        flags = os.O_RDONLY | os.O_NONBLOCK | _NO_FOLLOW
        descriptor = os.open(parts[-1], flags, dir_fd=parent)
        try:
            os.fchmod(descriptor, mode & 0o777)
        finally:
            os.close(descriptor)

    def create(self, parts: Parts) -> NewFile:
        return NewFile(self, parts)

    def symlink(self, parts: Parts, goal: bytes, mtime_ns: int) -> None:
        parent = self.enter(parts[:-1], make=True)
        temporary = _temporary_name()
        os.symlink(os.fsdecode(goal), temporary, dir_fd=parent)
        with contextlib.suppress(OSError):
            os.utime(temporary, ns=_times(mtime_ns), dir_fd=parent, follow_symlinks=False)
        self._put(temporary, parts, parent)

    def hard_link(self, parts: Parts, existing: Parts, allowed: Container[int]) -> bool:
        """One more name for a file.

        :param allowed: inodes of the files that may get one.
        :returns: False when there is no such file; then nothing has changed.
        """
        try:
            source = os.dup(self.enter(existing[:-1], make=False))
        except FileNotFoundError:
            return False
        try:
            if not _is_one_of(existing[-1], source, allowed):
                return False
            if existing == parts:
                return True
            parent = self.enter(parts[:-1], make=True)
            temporary = _temporary_name()
            os.link(
                existing[-1],
                temporary,
                src_dir_fd=source,
                dst_dir_fd=parent,
                follow_symlinks=False,
            )
            try:
                if not _is_one_of(temporary, parent, allowed):
                    return False
                self._put(temporary, parts, parent)
            finally:
                # Renaming to another name of the same file leaves both.
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
        finally:
            os.close(source)
        return True

    def remove(self, parts: Parts) -> None:
        """A file, a symlink itself, or a directory with all that is in it."""
        self._leave_below(parts)
        parent = os.dup(self.enter(parts[:-1], make=False))
        try:
            if _is_link_or_file(parts[-1], parent):
                os.unlink(parts[-1], dir_fd=parent)
                return
            for _, directories, others, below in os.fwalk(
                parts[-1], topdown=False, onerror=_raise, dir_fd=parent
            ):
                for name in others:
                    os.unlink(name, dir_fd=below)
                for name in directories:
                    if _is_link_or_file(name, below):
                        os.unlink(name, dir_fd=below)
                    else:
                        os.rmdir(name, dir_fd=below)
            os.rmdir(parts[-1], dir_fd=parent)
        finally:
            os.close(parent)

    def _leave_below(self, parts: Parts) -> None:
        if self._parts[: len(parts)] == parts:
            self._leave()

    def _put(self, temporary: str, parts: Parts, parent: int) -> None:
        """Gives what was made its name; what was there before, if no directory, goes."""
        try:
            os.rename(temporary, parts[-1], src_dir_fd=parent, dst_dir_fd=parent)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=parent)
            raise


class NewFile:
    """A file that appears whole with :meth:`commit`, or not at all with :meth:`discard`."""

    def __init__(self, tree: ConfinedDirectory, parts: Parts) -> None:
        self._tree = tree
        self._parts = parts
        self._temporary = _temporary_name()
        parent = tree.enter(parts[:-1], make=True)
        self._parent = os.dup(parent)
        try:
            self._descriptor = os.open(self._temporary, _NEW_FILE, 0o600, dir_fd=self._parent)
        except BaseException:
            os.close(self._parent)
            raise

    def write(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def commit(self, mode: int, mtime_ns: int) -> int:
        """Gives the file its name; its inode."""
        try:
            os.fchmod(self._descriptor, mode & 0o777)
            os.utime(self._descriptor, ns=_times(mtime_ns))
            inode = os.fstat(self._descriptor).st_ino
            self._tree._put(self._temporary, self._parts, self._parent)
        except BaseException:
            self.discard()
            raise
        self._close()
        return inode

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._temporary, dir_fd=self._parent)
        self._close()

    def _close(self) -> None:
        os.close(self._descriptor)
        os.close(self._parent)


def _is_one_of(name: str, parent: int, allowed: Container[int]) -> bool:
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_ino in allowed


def _is_link_or_file(name: str, parent: int) -> bool:
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return False
    return not stat.S_ISDIR(found.st_mode)


def _raise(error: OSError) -> None:
    raise error


def _temporary_name() -> str:
    return f".sandport-{secrets.token_hex(8)}.part"


def _times(mtime_ns: int) -> Tuple[int, int]:
    bounded = max(-_NANOS_LIMIT, min(mtime_ns, _NANOS_LIMIT))
    return bounded, bounded


def links_outside(parent: Parts, goal: bytes) -> bool:
    """True unless a symlink in this directory certainly leads to something below the root.

    ``..`` is taken only at the start: there it goes up through real directories; behind a name it
    would go up from wherever another link leads.
    """
    if not goal or goal.startswith(b"/") or b"\0" in goal:
        return True
    names: List[bytes] = [part for part in goal.split(b"/") if part not in (b"", b".")]
    up = 0
    while up < len(names) and names[up] == b"..":
        up += 1
    return up > len(parent) or b".." in names[up:]
