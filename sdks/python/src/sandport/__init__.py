"""Sandport: run code in isolated sandboxes and move files in and out of them.

>>> from sandport import Sandbox
>>> with Sandbox.create() as sandbox:
...     sandbox.filesystem.write("/workspace/hello.txt", "hello\\n")
...     print(sandbox.commands.run("cat /workspace/hello.txt").stdout)
"""

from ._async.client import AsyncClientSandbox, AsyncSandboxClient
from ._async.filesystem import AsyncByteStream, AsyncFilesystem, AsyncWatch
from ._async.sandbox import AsyncSandbox
from ._config import ConnectionConfig
from ._sync.client import ClientSandbox, SandboxClient
from ._sync.filesystem import ByteStream, Filesystem, Watch
from ._sync.sandbox import Sandbox
from ._version import __version__
from .errors import (
    AuthError,
    BadRequestError,
    CommandFailedError,
    ConfigError,
    ConflictError,
    DigestMismatchError,
    LimitError,
    LocalFileError,
    NetworkError,
    NotFoundError,
    PreconditionFailedError,
    SandportError,
    SandportTimeoutError,
    ServerError,
    StorageFullError,
    TooLargeError,
    UnavailableError,
)
from .errors import PermissionError as PermissionError
from .file_models import (
    DiskUsage,
    FileChange,
    FileContents,
    FileResult,
    FileWrite,
    Link,
    ReplacedFile,
    ReplaceResult,
    SearchMatch,
    SearchResult,
    SkippedFiles,
    TransferProgress,
    TransferRetry,
    WatchEvent,
)
from .models import ExecResult, FileEntry, SandboxInfo, VolumeMount, WriteResult
from .tree_models import SkippedEntry, SyncAction, SyncResult, TreeResult

# `PermissionError` is not in the list: `from sandport import *` must not hide Python's own.
__all__ = [
    "AsyncByteStream",
    "AsyncClientSandbox",
    "AsyncFilesystem",
    "AsyncSandbox",
    "AsyncSandboxClient",
    "AsyncWatch",
    "AuthError",
    "BadRequestError",
    "ByteStream",
    "ClientSandbox",
    "CommandFailedError",
    "ConfigError",
    "ConflictError",
    "ConnectionConfig",
    "DigestMismatchError",
    "DiskUsage",
    "ExecResult",
    "FileChange",
    "FileContents",
    "FileEntry",
    "FileResult",
    "FileWrite",
    "Filesystem",
    "LimitError",
    "Link",
    "LocalFileError",
    "NetworkError",
    "NotFoundError",
    "PreconditionFailedError",
    "ReplaceResult",
    "ReplacedFile",
    "Sandbox",
    "SandboxClient",
    "SandboxInfo",
    "SandportError",
    "SandportTimeoutError",
    "SearchMatch",
    "SearchResult",
    "ServerError",
    "SkippedEntry",
    "SkippedFiles",
    "StorageFullError",
    "SyncAction",
    "SyncResult",
    "TooLargeError",
    "TransferProgress",
    "TransferRetry",
    "TreeResult",
    "UnavailableError",
    "VolumeMount",
    "Watch",
    "WatchEvent",
    "WriteResult",
    "__version__",
]
