"""Rules of ``SandboxClient`` that both transports share."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping, Optional

from ..models import FileEntry
from .call import RemotePath, remote_path

#: Where relative paths start.
HOME = "/home/user"

#: Seconds after which a command is ended when the caller names no time.
COMMAND_TIMEOUT = 60.0


def from_home(path: RemotePath) -> RemotePath:
    """An absolute path; ``""`` stays as it is, for the daemon to refuse.

    Only ``.`` is taken out: what ``..`` means depends on the symlinks before it.
    """
    text = remote_path(path)
    if not text or text.startswith("/"):
        return text
    return "/".join([HOME, *(part for part in text.split("/") if part != ".")])


def parse_label_selector(selector: Optional[str]) -> Dict[str, str]:
    """``a=b,c=d`` as a mapping.

    :raises ValueError: for anything but equality.
    """
    labels: Dict[str, str] = {}
    for term in (selector or "").split(","):
        if not term.strip():
            continue
        key, sign, value = term.partition("=")
        value = value[1:] if value.startswith("=") else value
        if not sign or not key.strip() or key.endswith("!"):
            raise ValueError(f"label_selector takes KEY=VALUE terms only, not {term.strip()!r}")
        labels[key.strip()] = value.strip()
    return labels


def with_target_type(link: FileEntry, target: FileEntry) -> FileEntry:
    """The entry of a symlink, described as what it points at."""
    return replace(
        link,
        type=target.type,
        is_dir=target.is_dir,
        size=target.size,
        mod_time=target.mod_time,
    )


def labels_as_metadata(labels: Optional[Mapping[str, str]]) -> Optional[Dict[str, str]]:
    return {str(key): str(value) for key, value in labels.items()} if labels else None
