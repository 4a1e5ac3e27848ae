"""Sends an image archive, or an image layout as one, for a build of a template."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from functools import partial

from .._flow import Flow, Send, Work
from .._local_file import READ_BYTES, LocalPath, Stamp, open_for_upload
from .._progress import Progress
from .._tree.ignore import Ignore
from .._tree.pack import packed
from .._tree.scan import walk
from .._wire import templates
from .._wire.body import Body, file_body
from .._wire.call import Answer
from ..tree_models import TreeResult


def upload_archive(local_path: LocalPath, progress: Progress) -> Flow[str]:
    """Gives the name of the archive for one build.

    :raises OSError: when it cannot be read.
    :raises LocalFileError: when it changes while it is sent.
    """
    directory: bool = yield Work(partial(os.path.isdir, local_path))
    if directory:
        root = os.fspath(local_path)
        entries = walk(root, Ignore(()), lambda _name, _reason: None)
        body = Body(packed(root, entries, TreeResult(), progress), None, hashed=False)
        body.progress = progress
        packed_answer: Answer = yield Send(templates.upload_archive(None, None), body)
        return templates.archive_name(packed_answer, body.taken_bytes)
    file: io.FileIO = yield Work(partial(open_for_upload, local_path))
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{os.fspath(local_path)} is neither a file nor a directory")
        stamp = Stamp(file)
        progress.total_bytes = stamp.size
        sha256: bytes = yield Work(partial(_digest, file))
        whole = file_body(file)
        whole.progress = progress
        answer: Answer = yield Send(templates.upload_archive(stamp.size, sha256), whole)
        stamp.check()
    progress.add(0, 1)
    progress.report()
    return templates.archive_name(answer, whole.taken_bytes)


def _digest(file: io.FileIO) -> bytes:
    """SHA-256 of all of it; its position is the beginning again."""
    digest = hashlib.sha256()
    for data in iter(partial(file.read, READ_BYTES), b""):
        digest.update(data)
    file.seek(0)
    return digest.digest()
