"""Uploads of one local file: in one request, or above a size in parts that can be resumed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from dataclasses import replace
from functools import partial
from typing import Iterator, Optional

from .._flow import Flow, Patience, Send, Work, ask, may_resume
from .._local_file import LocalPath, Stamp, open_for_upload, read_at
from .._progress import Progress
from .._values import ExactMoment, mode_text, nanoseconds, time_text
from .._wire import entries, files, tus
from .._wire.body import CHUNK_BYTES, CountedBody, file_body
from .._wire.call import Answer, RemotePath, remote_path
from .._wire.files import WriteOptions
from .._wire.owner import FilesOwner
from ..errors import LocalFileError, NetworkError, NotFoundError, SandportError, make_error
from ..models import WriteResult

#: Longer files go in parts of this many bytes.
PART_BYTES = 64 * 1024 * 1024


def upload(
    owner: FilesOwner,
    local_path: LocalPath,
    path: RemotePath,
    options: WriteOptions,
    progress: Progress,
    *,
    preserve: bool = False,
) -> Flow[WriteResult]:
    file: io.FileIO = yield Work(partial(open_for_upload, local_path))
    with file:
        status = os.fstat(file.fileno())
        if preserve:
            options = _preserved(options, status)
        if not stat.S_ISREG(status.st_mode):
            return (yield from _whole(owner, file, path, options, progress, None))
        stamp = Stamp(file)
        progress.total_bytes = stamp.size
        if stamp.size > PART_BYTES and owner.takes_parts:
            result = yield from _in_parts(owner, file, path, options, progress, stamp)
        else:
            result = yield from _whole(owner, file, path, options, progress, stamp)
    progress.add(0, 1)
    progress.report()
    return result


def _preserved(options: WriteOptions, status: os.stat_result) -> WriteOptions:
    mode = stat.S_IMODE(status.st_mode) & 0o777 if options.mode is None else options.mode
    if options.mtime is not None:
        return replace(options, mode=mode)
    return replace(options, mode=mode, mtime=ExactMoment(status.st_mtime_ns))


def _whole(
    owner: FilesOwner,
    file: io.FileIO,
    path: RemotePath,
    options: WriteOptions,
    progress: Progress,
    stamp: Optional[Stamp],
) -> Flow[WriteResult]:
    patience = Patience(progress)
    while True:
        body = file_body(file)
        body.progress = progress
        try:
            request = files.write(owner, path, options, size=body.size)
            answer: Answer = yield Send(request, body)
        except SandportError as error:
            # A condition may have been met by the try whose answer was lost.
            if stamp is None or options.conditional or not may_resume(error):
                raise
            progress.add(-body.taken_bytes)
            yield patience.pause(error)
            file.seek(0)
            continue
        if stamp is not None:
            stamp.check()
        return files.written(answer, body.taken_bytes, body.sha256)


def _in_parts(
    owner: FilesOwner,
    file: io.FileIO,
    path: RemotePath,
    options: WriteOptions,
    progress: Progress,
    stamp: Stamp,
) -> Flow[WriteResult]:
    metadata = tus.metadata(
        remote_path(path),
        mode=mode_text(options.mode),
        mtime=None if options.mtime is None else time_text(nanoseconds(options.mtime)),
        if_match=options.if_match,
        if_none_match=options.if_none_match,
    )
    upload = yield from ask(tus.create(owner, stamp.size, metadata))
    try:
        etag = yield from _send_parts(owner, upload, file, path, progress, stamp)
    except GeneratorExit:
        raise
    except BaseException:
        yield from _give_up(owner, upload)
        raise
    if etag is None:
        etag = (yield from ask(entries.stat(owner, path))).etag
    return WriteResult(remote_path(path), stamp.size, etag)


def _send_parts(
    owner: FilesOwner,
    upload: str,
    file: io.FileIO,
    path: RemotePath,
    progress: Progress,
    stamp: Stamp,
) -> Flow[Optional[str]]:
    """The validator of the file, if the last answer names it."""
    patience = Patience(progress)
    offset = 0
    while True:
        size = min(PART_BYTES, stamp.size - offset)
        sha256: bytes = yield Work(partial(_digest, file, offset, size))
        stamp.check()
        body = CountedBody(_part(file, offset, size), size, hashed=False)
        body.progress = progress
        try:
            request = tus.put_part(owner, upload, offset, size, sha256)
            answer: Answer = yield Send(request, body)
            reached = tus.offset_of(answer)
            if reached >= stamp.size:
                return answer.headers.get("etag")
        except SandportError as error:
            stamp.check()
            # 409: an earlier try got further than its answer said.
            if not may_resume(error) and error.status_code != 409:
                raise
            found = yield from _find_offset(owner, upload, file, path, stamp, patience, error)
            if found is None:
                return None
            reached = found
        progress.add(reached - offset - body.taken_bytes)
        if reached > offset:
            patience.progressed()
        offset = reached


def _find_offset(
    owner: FilesOwner,
    upload: str,
    file: io.FileIO,
    path: RemotePath,
    stamp: Stamp,
    patience: Patience,
    error: SandportError,
) -> Flow[Optional[int]]:
    """Where to go on; None when the whole file has arrived."""
    while True:
        yield patience.pause(error)
        try:
            offset = yield from ask(tus.find_offset(owner, upload))
        except NotFoundError:
            # Finished uploads are forgotten: the answer to the last part may have been lost.
            yield from _check_finished(owner, file, path, stamp)
            return None
        except SandportError as again:
            if not may_resume(again):
                raise
            error = again
            continue
        if offset > stamp.size:
            raise NetworkError("The daemon has more bytes than were sent.", code="network_error")
        return offset if offset < stamp.size else None


def _check_finished(
    owner: FilesOwner, file: io.FileIO, path: RemotePath, stamp: Stamp
) -> Flow[None]:
    """:raises NotFoundError: ``upload_not_found`` unless the sandbox has this very file."""
    try:
        stored = yield from ask(files.digest_of_stored(owner, path, None))
    except NotFoundError:
        stored = None
    digest: bytes = yield Work(partial(_digest, file, 0, stamp.size))
    if stored != digest:
        raise make_error(
            f"The upload of {path} is gone: it has expired, or somebody gave it up.",
            code="upload_not_found",
            status=404,
            details={"path": str(path)},
        )


def _give_up(owner: FilesOwner, upload: str) -> Flow[None]:
    with contextlib.suppress(SandportError):  # It expires.
        yield from ask(tus.delete(owner, upload))


def _part(file: io.FileIO, offset: int, size: int) -> Iterator[bytes]:
    end = offset + size
    while offset < end:
        data = read_at(file.fileno(), min(CHUNK_BYTES, end - offset), offset)
        if not data:
            raise LocalFileError(f"{file.name} became shorter while it was sent.", str(file.name))
        offset += len(data)
        yield data


def _digest(file: io.FileIO, offset: int, size: int) -> bytes:
    digest = hashlib.sha256()
    for data in _part(file, offset, size):
        digest.update(data)
    return digest.digest()
