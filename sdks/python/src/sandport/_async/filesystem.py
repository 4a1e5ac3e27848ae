"""Files of one sandbox."""

from __future__ import annotations

from .byte_stream import AsyncByteStream
from .file_batches import AsyncFileBatchMethods
from .file_contents import AsyncFileContentsMethods
from .file_entries import AsyncFileEntryMethods
from .file_search import AsyncFileSearchMethods
from .file_trees import AsyncFileTreeMethods
from .file_watch import AsyncFileWatchMethods, AsyncWatch


class AsyncFilesystem(
    AsyncFileContentsMethods,
    AsyncFileEntryMethods,
    AsyncFileTreeMethods,
    AsyncFileBatchMethods,
    AsyncFileSearchMethods,
    AsyncFileWatchMethods,
):
    """Files of one sandbox. Paths are absolute paths inside it; symlinks are followed.

    Methods raise :class:`~sandport.NotFoundError` for a missing path, and other classes below
    :class:`~sandport.SandportError` with ``.path`` and ``.code``.
    """


__all__ = ["AsyncByteStream", "AsyncFilesystem", "AsyncWatch"]
