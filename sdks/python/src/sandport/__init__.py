"""Sandport: run code in isolated sandboxes and move files in and out of them.

>>> from sandport import Sandbox
>>> with Sandbox.create() as sandbox:
...     sandbox.filesystem.write("/workspace/hello.txt", "hello\\n")
...     print(sandbox.commands.run("cat /workspace/hello.txt").stdout)
"""

from ._async.client import AsyncClientSandbox, AsyncSandboxClient
from ._async.filesystem import AsyncByteStream
from ._async.sandbox import AsyncSandbox
from ._config import ConnectionConfig
from ._sync.client import ClientSandbox, SandboxClient
from ._sync.filesystem import ByteStream
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
from .models import ExecResult, FileEntry, SandboxInfo, VolumeMount, WriteResult

# `PermissionError` is not in the list: `from sandport import *` must not hide Python's own.
__all__ = [
    "AsyncByteStream",
    "AsyncClientSandbox",
    "AsyncSandbox",
    "AsyncSandboxClient",
    "AuthError",
    "BadRequestError",
    "ByteStream",
    "ClientSandbox",
    "CommandFailedError",
    "ConfigError",
    "ConflictError",
    "ConnectionConfig",
    "DigestMismatchError",
    "ExecResult",
    "FileEntry",
    "LimitError",
    "NetworkError",
    "NotFoundError",
    "PreconditionFailedError",
    "Sandbox",
    "SandboxClient",
    "SandboxInfo",
    "SandportError",
    "SandportTimeoutError",
    "ServerError",
    "StorageFullError",
    "TooLargeError",
    "UnavailableError",
    "VolumeMount",
    "WriteResult",
    "__version__",
]
