"""Makes a directory of the sandbox like a local one, or the other way round."""

from __future__ import annotations

import hashlib
import os
import posixpath
from dataclasses import dataclass
from functools import partial
from typing import Dict, List, Optional, Sequence, Tuple

from .._flow import Flow, Work, ask
from .._local_file import LocalPath
from .._progress import Progress
from .._tree.compare import RemoteSide, Side, compare, local_item, must_go_first
from .._tree.ignore import IGNORE_FILE, Ignore, read_rules
from .._tree.scan import LocalEntry, walk
from .._wire import batch, entries
from .._wire.call import RemotePath, remote_path
from .._wire.entries import Listing
from .._wire.owner import FilesOwner
from ..errors import SandportError
from ..tree_models import SkippedEntry, SyncAction, SyncResult, TreeResult
from .sync_down import bring_down
from .trees import TreeOptions, check_directory, send_entries

#: Entries that are listed at a time.
PAGE_ENTRIES = 50_000


@dataclass(frozen=True)
class SyncOptions:
    direction: str = "up"
    delete: bool = False
    checksum: bool = False
    dry_run: bool = False
    ignore: Optional[Sequence[str]] = None
    ignore_file: Optional[str] = IGNORE_FILE

    def __post_init__(self) -> None:
        if self.direction not in ("up", "down"):
            raise ValueError(f"direction must be 'up' or 'down', not {self.direction!r}")


def sync_dir(
    owner: FilesOwner,
    local_path: LocalPath,
    path: RemotePath,
    options: SyncOptions,
    progress: Progress,
) -> Flow[SyncResult]:
    root, up = os.fspath(local_path), options.direction == "up"
    if up:
        yield Work(partial(check_directory, root))
    ignore: Ignore = yield Work(partial(read_rules, root, options.ignore, options.ignore_file))
    remote = RemoteSide(ignore)
    yield from _list(owner, path, options, remote, must_exist=not up)
    local, scanned = yield Work(partial(_scan, root, ignore, remote, options.checksum))
    result = SyncResult(options.dry_run)
    source, target = (local, remote) if up else (remote, local)
    compare(source, target, result, delete=options.delete, checksum=options.checksum)
    progress.total_bytes = result.bytes
    if options.dry_run:
        return result
    if up:
        if not remote.root:
            remote.root = remote_path(path)
            yield from ask(entries.make_directory(owner, path, None))
        yield from _bring_up(owner, root, scanned, remote.root, result, progress)
    else:
        yield from bring_down(owner, root, remote, remote.root, result, progress)
    progress.report()
    return result


def _list(
    owner: FilesOwner,
    path: RemotePath,
    options: SyncOptions,
    remote: RemoteSide,
    *,
    must_exist: bool,
) -> Flow[None]:
    listing = Listing(path, True, checksum=options.checksum, page_size=PAGE_ENTRIES)
    cursor: Optional[str] = None
    try:
        while True:
            page = yield from ask(entries.list_page(owner, listing, cursor))
            remote.take(page.path or remote_path(path), page.items)
            cursor = page.cursor
            if cursor is None:
                return
    except SandportError as error:
        if must_exist or error.code != "file_not_found":
            raise


def _scan(
    root: str, ignore: Ignore, remote: Side, checksum: bool
) -> Tuple[Side, Dict[str, LocalEntry]]:
    side = Side()
    scanned: Dict[str, LocalEntry] = {}
    if not os.path.isdir(root):
        return side, scanned

    def skip(path: str, reason: str) -> None:
        side.skipped.append(SkippedEntry(path, reason))
        side.leave_out(path)

    for entry in walk(root, ignore, skip, side.leave_out):
        scanned[entry.path] = entry
        local, there = os.path.join(root, entry.path), remote.items.get(entry.path)
        goal = os.readlink(local) if entry.type == "symlink" else None
        # Only where the sizes agree does the digest decide.
        same_size = there is not None and there.size == entry.status.st_size
        wanted = checksum and entry.type == "file" and same_size
        side.items[entry.path] = local_item(entry, goal, _sha256(local) if wanted else None)
    return side, scanned


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while data := file.read(1024 * 1024):
            digest.update(data)
    return digest.hexdigest()


def _bring_up(
    owner: FilesOwner,
    root: str,
    scanned: Dict[str, LocalEntry],
    remote_root: str,
    result: SyncResult,
    progress: Progress,
) -> Flow[None]:
    gone = [action for action in result.actions if must_go_first(action)]
    yield from _remove(owner, remote_root, gone, result)
    modes = [action for action in result.actions if action.mode_only and action.type == "file"]
    sent = [
        scanned[action.path]
        for action in result.actions
        if action.action != "deleted" and action not in modes
    ]
    for action in modes:
        where = posixpath.join(remote_root, action.path)
        yield from ask(entries.chmod(owner, where, scanned[action.path].mode & 0o777, False))
    if sent:
        yield from send_entries(
            owner, root, sent, remote_root, TreeOptions(), progress, TreeResult()
        )


def _remove(owner: FilesOwner, root: str, gone: List[SyncAction], result: SyncResult) -> Flow[None]:
    paths = [posixpath.join(root, action.path) for action in gone]
    for group in batch.groups(paths, batch.EACH):
        if not group:
            return
        done = yield from ask(batch.remove(owner, group, True, True))
        failed = {each.path: each.error for each in done if each.error is not None}
        for action in gone:
            error = failed.get(posixpath.join(root, action.path))
            if error is not None:
                result.actions.remove(action)
                result.skipped.append(SkippedEntry(action.path, str(error)))
