"""Error classes and the error table. Generated from packages/protocol; do not edit."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple, Type

from ._error_base import SandportError


class BadRequestError(SandportError):
    """Codes:

    * ``invalid_path``
    * ``symlink_loop``
    * ``incomplete_body``
    * ``digest_mismatch``
    * ``invalid_pattern``
    * ``invalid_archive``
    * ``unsafe_archive``
    * ``format_unavailable``
    * ``range_not_satisfiable``
    * ``invalid_request``
    * ``unknown_template``
    * ``isolation_unavailable``
    * ``network_unavailable``
    * ``memory_unavailable``
    * ``invalid_image``
    * ``language_unavailable``
    * ``command_not_started``
    * ``method_not_allowed``
    * ``request_timeout``
    * ``headers_too_large``
    * ``upgrade_required``
    """


class PermissionError(SandportError):
    """Codes:

    * ``read_only``
    * ``permission_denied``
    """


class NotFoundError(SandportError):
    """Codes:

    * ``file_not_found``
    * ``upload_not_found``
    * ``link_not_found``
    * ``port_not_exposed``
    * ``command_not_found``
    * ``sandbox_not_found``
    * ``template_not_found``
    * ``build_not_found``
    * ``snapshot_not_found``
    * ``pool_not_found``
    * ``context_not_found``
    * ``volume_not_found``
    * ``key_not_found``
    * ``kubernetes_off``
    * ``ssh_key_not_found``
    * ``ssh_off``
    * ``route_not_found``
    """


class ConflictError(SandportError):
    """Codes:

    * ``is_directory``
    * ``not_a_directory``
    * ``not_a_regular_file``
    * ``directory_not_empty``
    * ``already_exists``
    * ``batch_failed``
    * ``file_changed``
    * ``upload_conflict``
    * ``path_busy``
    * ``template_not_built``
    * ``name_taken``
    * ``invalid_state``
    * ``volume_in_use``
    * ``volume_exists``
    * ``template_exists``
    * ``template_not_removable``
    * ``command_ended``
    * ``stdin_closed``
    * ``not_a_terminal``
    """


class PreconditionFailedError(SandportError):
    """Codes:

    * ``precondition_failed``
    """


class TooLargeError(SandportError):
    """Codes:

    * ``payload_too_large``
    """


class StorageFullError(SandportError):
    """Codes:

    * ``disk_full``
    """


class AuthError(SandportError):
    """Codes:

    * ``preview_unauthorized``
    * ``preview_forbidden``
    * ``unauthorized``
    * ``forbidden``
    * ``network_beyond_bound``
    * ``origin_not_allowed``
    """


class UnavailableError(SandportError):
    """Codes:

    * ``bad_port_answer``
    * ``port_timeout``
    * ``port_not_open``
    * ``shutting_down``
    * ``kernel_not_started``
    * ``sandbox_unresponsive``
    """


class LimitError(SandportError):
    """Codes:

    * ``limit_reached``
    """


class ServerError(SandportError):
    """Codes:

    * ``internal``
    * ``create_failed``
    * ``hibernate_failed``
    * ``fork_failed``
    * ``snapshot_failed``
    * ``template_build_failed``
    * ``tool_missing``
    """


class ErrorRow(NamedTuple):
    """What one code of the table means."""

    status: int
    retryable: bool
    error_class: Type[SandportError]
    carries: Tuple[str, ...]
    meaning: str
    advice: str


ERROR_TABLE: Mapping[str, ErrorRow] = {
    "invalid_path": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("path",),
        meaning="The path is empty, relative, too long, or holds a NUL byte.",
        advice="Send an absolute path of at most 3900 bytes, each name at most 255 bytes.",
    ),
    "symlink_loop": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("path",),
        meaning="The path runs through more than 40 symbolic links, or through a link that the kernel makes up.",
        advice="Name the file itself instead of the link.",
    ),
    "incomplete_body": ErrorRow(
        status=400,
        retryable=True,
        error_class=BadRequestError,
        carries=("path", "expected_bytes", "received_bytes"),
        meaning="The body ended before the length that was announced; nothing was written.",
        advice="Send the file again.",
    ),
    "digest_mismatch": ErrorRow(
        status=400,
        retryable=True,
        error_class=BadRequestError,
        carries=("path", "expected", "received"),
        meaning="The bytes that arrived do not have the digest that was announced; nothing was written.",
        advice="Send the file again.",
    ),
    "invalid_pattern": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("pattern", "reason"),
        meaning="The glob or the regular expression cannot be read.",
        advice="Globs know `*`, `?`, `[a-z]`, `{a,b}` and `**`; regular expressions are in RE2 syntax, without look-around and back-references.",
    ),
    "invalid_archive": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("path", "entry", "reason"),
        meaning="The body is not a tar archive, or it is damaged; what was unpacked before stays.",
        advice="Send a tar archive, plain or packed with gzip or zstd.",
    ),
    "unsafe_archive": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("path", "entry", "reason"),
        meaning="An entry of the archive would land outside of the directory, or is a device; what was unpacked before stays.",
        advice="Make the archive with relative names and without devices.",
    ),
    "read_only": ErrorRow(
        status=403,
        retryable=False,
        error_class=PermissionError,
        carries=("path",),
        meaning="The path lies on a volume that is mounted read-only.",
        advice="Write elsewhere, or mount the volume without `read_only`.",
    ),
    "permission_denied": ErrorRow(
        status=403,
        retryable=False,
        error_class=PermissionError,
        carries=("path", "errno"),
        meaning="The kernel does not allow this operation on the path.",
        advice="Check the flags of the file (immutable, append-only).",
    ),
    "file_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("path",),
        meaning="Nothing exists at the path.",
        advice="List the directory above it.",
    ),
    "upload_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("upload",),
        meaning="No upload with this id is under way: it was finished, given up, or has expired.",
        advice="Begin the upload again.",
    ),
    "link_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=(),
        meaning="The link does not exist: it was revoked, has expired, or is for another method.",
        advice="Ask for a new link.",
    ),
    "is_directory": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("path",),
        meaning="The path is a directory where a file is needed.",
        advice="Name a file, or list the directory.",
    ),
    "not_a_directory": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("path",),
        meaning="The path, or a part of it, is not a directory.",
        advice="Name a directory.",
    ),
    "not_a_regular_file": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("path", "file_type"),
        meaning="The path is a FIFO, a socket, a device, or belongs to a file system of the kernel.",
        advice="Only regular files, directories and symbolic links are served; use a command for the rest.",
    ),
    "directory_not_empty": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("path",),
        meaning="The directory still has entries.",
        advice="Remove it with `recursive=true`.",
    ),
    "already_exists": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("path", "file_type"),
        meaning="Something is at the path already.",
        advice="Choose another path, remove what is there, or send `overwrite: true`.",
    ),
    "batch_failed": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("results",),
        meaning="Some files of the batch could not be read or written, so none was.",
        advice="See `results`, or send the batch with `mode=each`.",
    ),
    "file_changed": ErrorRow(
        status=409,
        retryable=True,
        error_class=ConflictError,
        carries=("path",),
        meaning="The file changed while it was read.",
        advice="Read it again.",
    ),
    "upload_conflict": ErrorRow(
        status=409,
        retryable=True,
        error_class=ConflictError,
        carries=("upload", "offset"),
        meaning="The upload has another number of bytes than the request says, or another request is adding to it.",
        advice="Ask how many bytes have come with HEAD, and go on from there.",
    ),
    "path_busy": ErrorRow(
        status=409,
        retryable=True,
        error_class=ConflictError,
        carries=("path",),
        meaning="The path is in use: it is a mount point, the root, or is being changed at this moment.",
        advice="Name a path below it, or try again.",
    ),
    "precondition_failed": ErrorRow(
        status=412,
        retryable=False,
        error_class=PreconditionFailedError,
        carries=("path",),
        meaning="The file is not in the state that the condition of the request names.",
        advice="Read the file again and repeat the change.",
    ),
    "payload_too_large": ErrorRow(
        status=413,
        retryable=False,
        error_class=TooLargeError,
        carries=("limit_bytes", "limit_entries", "path"),
        meaning="The body, or what it unpacks to, is larger than this request takes.",
        advice="Send file contents to the file routes, which have no limit, or raise the limit that the request names.",
    ),
    "format_unavailable": ErrorRow(
        status=415,
        retryable=False,
        error_class=BadRequestError,
        carries=("format",),
        meaning="The daemon cannot pack or unpack this format: the program for it is not installed.",
        advice="Use `tar` or `tar.gz`, or install `zstd` on the machine of the daemon.",
    ),
    "range_not_satisfiable": ErrorRow(
        status=416,
        retryable=False,
        error_class=BadRequestError,
        carries=("path", "size"),
        meaning="The range begins behind the end of the file.",
        advice="Ask for the size first.",
    ),
    "disk_full": ErrorRow(
        status=507,
        retryable=False,
        error_class=StorageFullError,
        carries=("path",),
        meaning="The disk, or the disk limit of the sandbox, is full; the file that was there is unchanged.",
        advice="Remove files, or create the sandbox with a larger `disk_mb`.",
    ),
    "preview_unauthorized": ErrorRow(
        status=401,
        retryable=False,
        error_class=AuthError,
        carries=(),
        meaning="The link to the port has expired or is not valid, or the port needs one.",
        advice="Ask whoever has an API key for a new link; `sandport preview-url` makes one.",
    ),
    "preview_forbidden": ErrorRow(
        status=403,
        retryable=False,
        error_class=AuthError,
        carries=("path",),
        meaning="The link leads to other paths, or the request comes from a page elsewhere.",
        advice="Ask for a link to this path; open the preview itself instead of calling it from another page.",
    ),
    "port_not_exposed": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("sandbox", "port"),
        meaning="The port of the sandbox was not exposed.",
        advice="List the ports of the sandbox.",
    ),
    "bad_port_answer": ErrorRow(
        status=502,
        retryable=False,
        error_class=UnavailableError,
        carries=("sandbox", "port"),
        meaning="What listens on the port did not answer with HTTP, or broke off before its answer.",
        advice="See what the server in the sandbox logs; for other protocols use `sandport port-forward`.",
    ),
    "port_timeout": ErrorRow(
        status=504,
        retryable=True,
        error_class=UnavailableError,
        carries=("sandbox", "port"),
        meaning="The server in the sandbox took too long to answer.",
        advice="See what the server in the sandbox is doing, then try again.",
    ),
    "invalid_request": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("field", "known"),
        meaning="The request has a field that is unknown, missing or of the wrong type, or is not valid JSON.",
        advice="Correct the field that the message names.",
    ),
    "unknown_template": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("template", "known"),
        meaning="No template or alias has this name.",
        advice="Use one of the templates in `known`, or build it with `sandport template build`.",
    ),
    "template_not_built": ErrorRow(
        status=409,
        retryable=True,
        error_class=ConflictError,
        carries=("template",),
        meaning="The template is known, but has not been built on this machine yet.",
        advice="Build it with `sandport template build NAME`.",
    ),
    "isolation_unavailable": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("isolation", "known"),
        meaning="This machine cannot run the isolation that was asked for.",
        advice="Run `sandport doctor` on the machine, or leave `isolation` out.",
    ),
    "network_unavailable": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("reason",),
        meaning="This machine gives sandboxes no network: something is missing, or its administrator has turned that off.",
        advice="See `reason`; run `sandport doctor` on the machine, or leave `network` out.",
    ),
    "memory_unavailable": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("sandbox", "isolation"),
        meaning="Processes and memory were asked for, and the isolation of the sandbox cannot keep them.",
        advice="Leave `memory` out, or make the sandbox with the isolation `gvisor`.",
    ),
    "invalid_image": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("template", "image", "reason"),
        meaning="The image or the archive cannot be used: it is damaged, unsafe, for another machine, or not there.",
        advice="See `reason`; try `skopeo inspect` with the same reference.",
    ),
    "language_unavailable": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("language", "missing", "known"),
        meaning="The sandbox cannot run code of this language, because the program for it is missing.",
        advice="Use the template `code-interpreter` (built anew if it is older), or install `missing`.",
    ),
    "command_not_started": ErrorRow(
        status=400,
        retryable=False,
        error_class=BadRequestError,
        carries=("errno", "path"),
        meaning="The command could not be started: the program, the working directory or the user does not exist.",
        advice="Check `args[0]`, `cwd` and `user`.",
    ),
    "unauthorized": ErrorRow(
        status=401,
        retryable=False,
        error_class=AuthError,
        carries=(),
        meaning="The request carries no API key, or one that is not valid.",
        advice="Send `Authorization: Bearer KEY` or `X-API-Key: KEY`; the local key stands in client.json.",
    ),
    "forbidden": ErrorRow(
        status=403,
        retryable=False,
        error_class=AuthError,
        carries=(),
        meaning="The API key is valid but may not do this.",
        advice="Use an administrator key.",
    ),
    "network_beyond_bound": ErrorRow(
        status=403,
        retryable=False,
        error_class=AuthError,
        carries=("namespace",),
        meaning="The network is more than sandboxes of the namespace may have.",
        advice="Ask for less with `network`, or have an administrator raise the bound of the namespace.",
    ),
    "origin_not_allowed": ErrorRow(
        status=403,
        retryable=False,
        error_class=AuthError,
        carries=("origin",),
        meaning="A web page of another origin wants to open a WebSocket.",
        advice="Open it from a page of the daemon, from a program that sends no `Origin`, or allow the origin in the configuration.",
    ),
    "command_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("sandbox", "command"),
        meaning="The sandbox keeps no command with this id; those that ended long ago are forgotten.",
        advice="List the commands of the sandbox.",
    ),
    "sandbox_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("sandbox",),
        meaning="No sandbox with this id or name exists in a namespace of this key.",
        advice="List the sandboxes with `sandport ls`.",
    ),
    "template_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("template", "known"),
        meaning="No template has this name.",
        advice="List the templates with `sandport template ls`.",
    ),
    "build_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("build",),
        meaning="No build of a template has this id; builds are forgotten when the daemon stops.",
        advice="List the builds with `sandport template builds`.",
    ),
    "snapshot_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("snapshot",),
        meaning="No snapshot with this id or name exists in a namespace of this key.",
        advice="List the snapshots with `sandport snapshot ls`.",
    ),
    "pool_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("template", "isolation"),
        meaning="The template has no pool with this isolation.",
        advice="List the pools with `sandport pool ls`.",
    ),
    "context_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("sandbox", "context"),
        meaning="The sandbox has no code context with this id: it was closed, or the daemon was started anew.",
        advice="Make one with `POST …/repl/sessions`.",
    ),
    "volume_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("volume",),
        meaning="No volume with this name exists in the namespace.",
        advice="List the volumes.",
    ),
    "key_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("key",),
        meaning="No API key has this id.",
        advice="List the keys.",
    ),
    "kubernetes_off": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=(),
        meaning="The daemon does not listen for clients of Kubernetes.",
        advice="Start it with --kubernetes-listen HOST:PORT; its log says why it does not.",
    ),
    "ssh_key_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("key",),
        meaning="No public key has this id.",
        advice="List the public keys.",
    ),
    "ssh_off": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=(),
        meaning="The daemon does not listen for clients of SSH.",
        advice="Start it with --ssh-listen HOST:PORT; its log says why it does not.",
    ),
    "route_not_found": ErrorRow(
        status=404,
        retryable=False,
        error_class=NotFoundError,
        carries=("route",),
        meaning="The API has no such route.",
        advice="See spec/openapi.json for the routes.",
    ),
    "method_not_allowed": ErrorRow(
        status=405,
        retryable=False,
        error_class=BadRequestError,
        carries=("route", "known"),
        meaning="The route exists, but not for this method.",
        advice="Use one of the methods in `known`.",
    ),
    "request_timeout": ErrorRow(
        status=408,
        retryable=True,
        error_class=BadRequestError,
        carries=(),
        meaning="The client sent nothing for too long; nothing was written.",
        advice="Send the request again.",
    ),
    "name_taken": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("name",),
        meaning="Another sandbox, or another snapshot, of the namespace has this name.",
        advice="Choose another name, or delete the other one.",
    ),
    "invalid_state": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("sandbox", "status", "reason"),
        meaning="The sandbox is in a state in which this cannot be done.",
        advice="See `status` in the answer.",
    ),
    "volume_in_use": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("volume", "sandboxes"),
        meaning="The volume is mounted by a sandbox.",
        advice="Delete the sandboxes in `sandboxes` first.",
    ),
    "volume_exists": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("volume", "size_mb"),
        meaning="The volume is there already, with another size.",
        advice="Leave `size_mb` out, or choose another name.",
    ),
    "template_exists": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("template",),
        meaning="A template has this name already.",
        advice="Choose another name, or send `replace: true`.",
    ),
    "template_not_removable": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("template",),
        meaning="The template comes with Sandport, or a pool is made of it.",
        advice="Drain its pools first; templates of Sandport stay.",
    ),
    "limit_reached": ErrorRow(
        status=429,
        retryable=True,
        error_class=LimitError,
        carries=("limit", "namespace", "resource"),
        meaning="A limit of the daemon is reached.",
        advice="Delete what is not needed, or raise the limit in the configuration.",
    ),
    "headers_too_large": ErrorRow(
        status=431,
        retryable=False,
        error_class=BadRequestError,
        carries=(),
        meaning="The headers of the request are larger than 16 KiB.",
        advice="Send fewer or shorter headers.",
    ),
    "internal": ErrorRow(
        status=500,
        retryable=False,
        error_class=ServerError,
        carries=("request_id",),
        meaning="The daemon met a condition it did not expect.",
        advice="Look up the request id in the daemon log.",
    ),
    "create_failed": ErrorRow(
        status=500,
        retryable=False,
        error_class=ServerError,
        carries=("reason",),
        meaning="The sandbox could not be started; nothing of it is left.",
        advice="See `reason`, and run `sandport doctor`.",
    ),
    "hibernate_failed": ErrorRow(
        status=500,
        retryable=True,
        error_class=ServerError,
        carries=("sandbox", "reason"),
        meaning="The sandbox could not be hibernated; it runs as before.",
        advice="See `reason`; delete background work that cannot be frozen, or try again.",
    ),
    "fork_failed": ErrorRow(
        status=500,
        retryable=False,
        error_class=ServerError,
        carries=("sandbox", "reason"),
        meaning="No child of the sandbox could be made; the sandbox itself goes on.",
        advice="See `reason`.",
    ),
    "snapshot_failed": ErrorRow(
        status=500,
        retryable=False,
        error_class=ServerError,
        carries=("sandbox", "reason"),
        meaning="The snapshot could not be made; nothing of it is left, and the sandbox goes on.",
        advice="See `reason`.",
    ),
    "template_build_failed": ErrorRow(
        status=500,
        retryable=False,
        error_class=ServerError,
        carries=("template", "reason"),
        meaning="The template could not be built.",
        advice="See `reason`; the build log names the step.",
    ),
    "tool_missing": ErrorRow(
        status=501,
        retryable=False,
        error_class=ServerError,
        carries=("program", "package"),
        meaning="A program that this needs is not installed on the machine of the daemon.",
        advice="Install the Debian package in `package`; `sandport doctor` lists what is missing.",
    ),
    "upgrade_required": ErrorRow(
        status=426,
        retryable=False,
        error_class=BadRequestError,
        carries=("route",),
        meaning="The route speaks WebSocket, and the request does not ask for it.",
        advice="Open it with a WebSocket client; a proxy in between has to pass `Upgrade` on.",
    ),
    "command_ended": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("sandbox", "command"),
        meaning="The command does not run any more, so nothing can be told to it.",
        advice="Read how it ended, and what it wrote; start it again if it is still wanted.",
    ),
    "stdin_closed": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("sandbox", "command"),
        meaning="The command takes no input: it was started without one, or its input was ended.",
        advice="Start it with `stdin: true`.",
    ),
    "not_a_terminal": ErrorRow(
        status=409,
        retryable=False,
        error_class=ConflictError,
        carries=("sandbox", "command"),
        meaning="The command has no terminal.",
        advice="Start it with `tty`.",
    ),
    "port_not_open": ErrorRow(
        status=502,
        retryable=True,
        error_class=UnavailableError,
        carries=("sandbox", "port"),
        meaning="Nothing listens on this port inside the sandbox.",
        advice="Start the server in the sandbox, and see that it listens on 127.0.0.1 or on all addresses.",
    ),
    "shutting_down": ErrorRow(
        status=503,
        retryable=True,
        error_class=UnavailableError,
        carries=(),
        meaning="The daemon is stopping.",
        advice="Send the request again after its restart.",
    ),
    "kernel_not_started": ErrorRow(
        status=504,
        retryable=True,
        error_class=UnavailableError,
        carries=("sandbox", "language"),
        meaning="The program that runs the code did not start in time, or ended before it was ready.",
        advice="Try again; look whether the sandbox has memory and processes left.",
    ),
    "sandbox_unresponsive": ErrorRow(
        status=504,
        retryable=True,
        error_class=UnavailableError,
        carries=("sandbox",),
        meaning="The init process of the sandbox does not answer; its files can still be read and written.",
        advice="Try again, or delete the sandbox.",
    ),
}
