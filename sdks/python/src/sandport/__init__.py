"""Sandport: run code in isolated sandboxes and move files in and out of them.

>>> from sandport import Sandbox
>>> with Sandbox.create() as sandbox:
...     sandbox.filesystem.write("/workspace/hello.txt", "hello\\n")
...     print(sandbox.commands.run("cat /workspace/hello.txt").stdout)
"""

from ._async.client import AsyncClientSandbox, AsyncSandboxClient
from ._async.code import AsyncCodeContext
from ._async.command_handle import AsyncCommandHandle
from ._async.commands import AsyncCommands
from ._async.daemon import AsyncClient
from ._async.filesystem import AsyncByteStream, AsyncFilesystem, AsyncWatch
from ._async.machine import (
    AsyncKeys,
    AsyncNamespaceNetworks,
    AsyncPools,
    AsyncQuotas,
    AsyncSnapshots,
)
from ._async.ports import AsyncPorts
from ._async.pty import AsyncPty, AsyncPtyHandle
from ._async.sandbox import AsyncSandbox
from ._async.ssh_keys import AsyncSshKeys
from ._async.templates import AsyncBuildLog, AsyncTemplates
from ._async.volumes import AsyncVolume, AsyncVolumes
from ._config import ConnectionConfig
from ._sync.client import ClientSandbox, SandboxClient
from ._sync.code import CodeContext
from ._sync.command_handle import CommandHandle
from ._sync.commands import Commands
from ._sync.daemon import Client
from ._sync.filesystem import ByteStream, Filesystem, Watch
from ._sync.machine import Keys, NamespaceNetworks, Pools, Quotas, Snapshots
from ._sync.ports import Ports
from ._sync.pty import Pty, PtyHandle
from ._sync.sandbox import Sandbox
from ._sync.ssh_keys import SshKeys
from ._sync.templates import BuildLog, Templates
from ._sync.volumes import Volume, Volumes
from ._version import __version__
from .code_models import CodeContextInfo, CodeError, CodeExecution, CodeResult
from .command_models import CommandInfo, CommandOutput, KeptOutput
from .errors import (
    AuthError,
    BadRequestError,
    CommandFailedError,
    CommandLostError,
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
from .explore_models import BranchOutcome, Candidate, ExploreError, ExploreResult
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
from .life_models import (
    ForkFailure,
    ForkTree,
    Lifecycle,
    Metrics,
    MetricsSample,
    PromoteResult,
    SandboxEvent,
    WakeResult,
)
from .models import ExecResult, FileEntry, SandboxInfo, VolumeMount, WriteResult
from .network_models import NamespaceNetwork, Network
from .port_models import Port, SignedPreview
from .resource_models import (
    Key,
    Kubernetes,
    Pool,
    Quota,
    Snapshot,
    Template,
    TemplateBuild,
    VolumeInfo,
)
from .ssh_models import Ssh, SshKey
from .tree_models import SkippedEntry, SyncAction, SyncResult, TreeResult

# `PermissionError` is not in the list: `from sandport import *` must not hide Python's own.
__all__ = [
    "AsyncBuildLog",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncClientSandbox",
    "AsyncCodeContext",
    "AsyncCommandHandle",
    "AsyncCommands",
    "AsyncFilesystem",
    "AsyncKeys",
    "AsyncNamespaceNetworks",
    "AsyncPools",
    "AsyncPorts",
    "AsyncPty",
    "AsyncPtyHandle",
    "AsyncQuotas",
    "AsyncSandbox",
    "AsyncSandboxClient",
    "AsyncSnapshots",
    "AsyncSshKeys",
    "AsyncTemplates",
    "AsyncVolume",
    "AsyncVolumes",
    "AsyncWatch",
    "AuthError",
    "BadRequestError",
    "BranchOutcome",
    "BuildLog",
    "ByteStream",
    "Candidate",
    "Client",
    "ClientSandbox",
    "CodeContext",
    "CodeContextInfo",
    "CodeError",
    "CodeExecution",
    "CodeResult",
    "CommandFailedError",
    "CommandHandle",
    "CommandInfo",
    "CommandLostError",
    "CommandOutput",
    "Commands",
    "ConfigError",
    "ConflictError",
    "ConnectionConfig",
    "DigestMismatchError",
    "DiskUsage",
    "ExecResult",
    "ExploreError",
    "ExploreResult",
    "FileChange",
    "FileContents",
    "FileEntry",
    "FileResult",
    "FileWrite",
    "Filesystem",
    "ForkFailure",
    "ForkTree",
    "KeptOutput",
    "Key",
    "Keys",
    "Kubernetes",
    "Lifecycle",
    "LimitError",
    "Link",
    "LocalFileError",
    "Metrics",
    "MetricsSample",
    "NamespaceNetwork",
    "NamespaceNetworks",
    "Network",
    "NetworkError",
    "NotFoundError",
    "Pool",
    "Pools",
    "Port",
    "Ports",
    "PreconditionFailedError",
    "PromoteResult",
    "Pty",
    "PtyHandle",
    "Quota",
    "Quotas",
    "ReplaceResult",
    "ReplacedFile",
    "Sandbox",
    "SandboxClient",
    "SandboxEvent",
    "SandboxInfo",
    "SandportError",
    "SandportTimeoutError",
    "SearchMatch",
    "SearchResult",
    "ServerError",
    "SignedPreview",
    "SkippedEntry",
    "SkippedFiles",
    "Snapshot",
    "Snapshots",
    "Ssh",
    "SshKey",
    "SshKeys",
    "StorageFullError",
    "SyncAction",
    "SyncResult",
    "Template",
    "TemplateBuild",
    "Templates",
    "TooLargeError",
    "TransferProgress",
    "TransferRetry",
    "TreeResult",
    "UnavailableError",
    "Volume",
    "VolumeInfo",
    "VolumeMount",
    "Volumes",
    "WakeResult",
    "Watch",
    "WatchEvent",
    "WriteResult",
    "__version__",
]
