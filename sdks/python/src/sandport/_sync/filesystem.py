"""Files of one sandbox."""

from __future__ import annotations

from .byte_stream import ByteStream
from .file_batches import FileBatchMethods
from .file_contents import FileContentsMethods
from .file_entries import FileEntryMethods
from .file_search import FileSearchMethods
from .file_trees import FileTreeMethods
from .file_watch import FileWatchMethods, Watch


class Filesystem(
    FileContentsMethods,
    FileEntryMethods,
    FileTreeMethods,
    FileBatchMethods,
    FileSearchMethods,
    FileWatchMethods,
):
    """Files of one sandbox. Paths are absolute paths inside it; symlinks are followed.

    Methods raise :class:`~sandport.NotFoundError` for a missing path, and other classes below
    :class:`~sandport.SandportError` with ``.path`` and ``.code``.
    """


__all__ = ["ByteStream", "Filesystem", "Watch"]
