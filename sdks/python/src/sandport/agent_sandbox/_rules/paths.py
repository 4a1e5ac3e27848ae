"""Paths in a sandbox."""

from __future__ import annotations

import posixpath


def in_home(path: str, home: str) -> str:
    """The absolute path: a relative one starts at the home directory, an empty one is it.

    Only ``.`` is taken out: what ``..`` means depends on the symlinks before it.
    """
    if not isinstance(path, str):
        raise TypeError(f"path must be str, not {type(path).__name__}")
    if path.startswith("/"):
        return path
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join([home.rstrip("/"), *parts]) or "/"


def checked(path: str, allow_unsafe_paths: bool) -> str:
    """The path of a file to read or write, without detours.

    :param allow_unsafe_paths: take it as it is.
    :raises ValueError: for control characters, for what names no file, and for a relative path
        that leads above where it starts.
    """
    if not isinstance(path, str):
        raise TypeError(f"path must be str, not {type(path).__name__}")
    if allow_unsafe_paths:
        return path
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
        raise ValueError(f"the path {path!r} holds control characters")
    if not path.strip():
        raise ValueError("the path is empty")
    normalized = posixpath.normpath(path)
    if normalized.strip("/") in ("", "."):
        raise ValueError(f"the path {path!r} does not name a file")
    if normalized.split("/", 1)[0] == "..":
        raise ValueError(f"the path {path!r} leads above where relative paths start")
    # POSIX keeps two slashes at the beginning.
    return f"/{normalized.lstrip('/')}" if normalized.startswith("/") else normalized
