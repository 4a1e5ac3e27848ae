"""Requests that look into files."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from ..file_models import ReplaceResult, SearchResult
from .call import Call, RemotePath, json_request, remote_path
from .owner import FilesOwner


def selection(
    pattern: str,
    path: RemotePath,
    *,
    regex: bool,
    case_sensitive: bool,
    include: Optional[Sequence[str]],
    exclude: Optional[Sequence[str]],
    hidden: bool,
) -> Dict[str, Any]:
    """What search and replace have in common."""
    body: Dict[str, Any] = {
        "path": remote_path(path),
        "pattern": pattern,
        "regex": regex,
        "case_sensitive": case_sensitive,
        "hidden": hidden,
    }
    if include is not None:
        body["include"] = list(include)
    if exclude is not None:
        body["exclude"] = list(exclude)
    return body


def search(
    owner: FilesOwner, chosen: Dict[str, Any], max_matches: Optional[int], context_lines: int
) -> Call[SearchResult]:
    body = {**chosen, "context_lines": context_lines}
    if max_matches is not None:
        body["max_matches"] = max_matches
    where = owner.target("fs", "search")
    request = json_request("POST", where, body, "forever")
    return Call(request, lambda answer: SearchResult.from_wire(answer.json_object()))


def replace(
    owner: FilesOwner, chosen: Dict[str, Any], replacement: str, dry_run: bool
) -> Call[ReplaceResult]:
    body = {**chosen, "replacement": replacement, "dry_run": dry_run}
    where = owner.target("fs", "replace")
    request = json_request("POST", where, body, "forever")
    return Call(request, lambda answer: ReplaceResult.from_wire(answer.json_object()))
