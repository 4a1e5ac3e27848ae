import { type ErrorRow, errorRow } from './error-row.ts';
import { fileErrors } from './file-errors.ts';
import { portErrors } from './port-errors.ts';

/**
 * Every error Sandport can answer with. One row a code: the HTTP status, whether the same request
 * may succeed when it is sent again, what the answer carries beside the sentence, and one line of
 * advice. The TypeScript and Python error classes, the OpenAPI responses and
 * docs/reference/errors.md are made from this table.
 */
export const errorTable = {
  ...fileErrors,
  ...portErrors,
  invalid_request: errorRow(
    400,
    'BadRequestError',
    'The request has a field that is unknown, missing or of the wrong type, or is not valid JSON.',
    'Correct the field that the message names.',
    { carries: ['field', 'known'] },
  ),
  unknown_template: errorRow(
    400,
    'BadRequestError',
    'No template or alias has this name.',
    'Use one of the templates in `known`, or build it with `sandport template build`.',
    { carries: ['template', 'known'] },
  ),
  template_not_built: errorRow(
    409,
    'ConflictError',
    'The template is known, but has not been built on this machine yet.',
    'Build it with `sandport template build NAME`.',
    { retryable: true, carries: ['template'] },
  ),
  isolation_unavailable: errorRow(
    400,
    'BadRequestError',
    'This machine cannot run the isolation that was asked for.',
    'Run `sandport doctor` on the machine, or leave `isolation` out.',
    { carries: ['isolation', 'known'] },
  ),
  network_unavailable: errorRow(
    400,
    'BadRequestError',
    'This machine gives sandboxes no network: something is missing, or its administrator has turned that off.',
    'See `reason`; run `sandport doctor` on the machine, or leave `network` out.',
    { carries: ['reason'] },
  ),
  memory_unavailable: errorRow(
    400,
    'BadRequestError',
    'Processes and memory were asked for, and the isolation of the sandbox cannot keep them.',
    'Leave `memory` out, or make the sandbox with the isolation `gvisor`.',
    { carries: ['sandbox', 'isolation'] },
  ),
  invalid_image: errorRow(
    400,
    'BadRequestError',
    'The image or the archive cannot be used: it is damaged, unsafe, for another machine, or not there.',
    'See `reason`; try `skopeo inspect` with the same reference.',
    { carries: ['template', 'image', 'reason'] },
  ),

  language_unavailable: errorRow(
    400,
    'BadRequestError',
    'The sandbox cannot run code of this language, because the program for it is missing.',
    'Use the template `code-interpreter` (built anew if it is older), or install `missing`.',
    { carries: ['language', 'missing', 'known'] },
  ),
  command_not_started: errorRow(
    400,
    'BadRequestError',
    'The command could not be started: the program, the working directory or the user does not exist.',
    'Check `args[0]`, `cwd` and `user`.',
    { carries: ['errno', 'path'] },
  ),
  unauthorized: errorRow(
    401,
    'AuthError',
    'The request carries no API key, or one that is not valid.',
    'Send `Authorization: Bearer KEY` or `X-API-Key: KEY`; the local key stands in client.json.',
  ),
  forbidden: errorRow(
    403,
    'AuthError',
    'The API key is valid but may not do this.',
    'Use an administrator key.',
  ),
  network_beyond_bound: errorRow(
    403,
    'AuthError',
    'The network is more than sandboxes of the namespace may have.',
    'Ask for less with `network`, or have an administrator raise the bound of the namespace.',
    { carries: ['namespace'] },
  ),
  origin_not_allowed: errorRow(
    403,
    'AuthError',
    'A web page of another origin wants to open a WebSocket.',
    'Open it from a page of the daemon, from a program that sends no `Origin`, or allow the origin in the configuration.',
    { carries: ['origin'] },
  ),
  command_not_found: errorRow(
    404,
    'NotFoundError',
    'The sandbox keeps no command with this id; those that ended long ago are forgotten.',
    'List the commands of the sandbox.',
    { carries: ['sandbox', 'command'] },
  ),
  sandbox_not_found: errorRow(
    404,
    'NotFoundError',
    'No sandbox with this id or name exists in a namespace of this key.',
    'List the sandboxes with `sandport ls`.',
    { carries: ['sandbox'] },
  ),
  template_not_found: errorRow(
    404,
    'NotFoundError',
    'No template has this name.',
    'List the templates with `sandport template ls`.',
    { carries: ['template', 'known'] },
  ),
  build_not_found: errorRow(
    404,
    'NotFoundError',
    'No build of a template has this id; builds are forgotten when the daemon stops.',
    'List the builds with `sandport template builds`.',
    { carries: ['build'] },
  ),
  snapshot_not_found: errorRow(
    404,
    'NotFoundError',
    'No snapshot with this id or name exists in a namespace of this key.',
    'List the snapshots with `sandport snapshot ls`.',
    { carries: ['snapshot'] },
  ),
  pool_not_found: errorRow(
    404,
    'NotFoundError',
    'The template has no pool with this isolation.',
    'List the pools with `sandport pool ls`.',
    { carries: ['template', 'isolation'] },
  ),

  context_not_found: errorRow(
    404,
    'NotFoundError',
    'The sandbox has no code context with this id: it was closed, or the daemon was started anew.',
    'Make one with `POST …/repl/sessions`.',
    { carries: ['sandbox', 'context'] },
  ),
  volume_not_found: errorRow(
    404,
    'NotFoundError',
    'No volume with this name exists in the namespace.',
    'List the volumes.',
    { carries: ['volume'] },
  ),
  key_not_found: errorRow(404, 'NotFoundError', 'No API key has this id.', 'List the keys.', {
    carries: ['key'],
  }),
  kubernetes_off: errorRow(
    404,
    'NotFoundError',
    'The daemon does not listen for clients of Kubernetes.',
    'Start it with --kubernetes-listen HOST:PORT; its log says why it does not.',
  ),
  ssh_key_not_found: errorRow(
    404,
    'NotFoundError',
    'No public key has this id.',
    'List the public keys.',
    { carries: ['key'] },
  ),
  ssh_off: errorRow(
    404,
    'NotFoundError',
    'The daemon does not listen for clients of SSH.',
    'Start it with --ssh-listen HOST:PORT; its log says why it does not.',
  ),
  route_not_found: errorRow(
    404,
    'NotFoundError',
    'The API has no such route.',
    'See spec/openapi.json for the routes.',
    { carries: ['route'] },
  ),
  method_not_allowed: errorRow(
    405,
    'BadRequestError',
    'The route exists, but not for this method.',
    'Use one of the methods in `known`.',
    { carries: ['route', 'known'] },
  ),
  request_timeout: errorRow(
    408,
    'BadRequestError',
    'The client sent nothing for too long; nothing was written.',
    'Send the request again.',
    { retryable: true },
  ),
  name_taken: errorRow(
    409,
    'ConflictError',
    'Another sandbox, or another snapshot, of the namespace has this name.',
    'Choose another name, or delete the other one.',
    { carries: ['name'] },
  ),
  invalid_state: errorRow(
    409,
    'ConflictError',
    'The sandbox is in a state in which this cannot be done.',
    'See `status` in the answer.',
    { carries: ['sandbox', 'status', 'reason'] },
  ),
  volume_in_use: errorRow(
    409,
    'ConflictError',
    'The volume is mounted by a sandbox.',
    'Delete the sandboxes in `sandboxes` first.',
    { carries: ['volume', 'sandboxes'] },
  ),
  volume_exists: errorRow(
    409,
    'ConflictError',
    'The volume is there already, with another size.',
    'Leave `size_mb` out, or choose another name.',
    { carries: ['volume', 'size_mb'] },
  ),
  template_exists: errorRow(
    409,
    'ConflictError',
    'A template has this name already.',
    'Choose another name, or send `replace: true`.',
    { carries: ['template'] },
  ),
  template_not_removable: errorRow(
    409,
    'ConflictError',
    'The template comes with Sandport, or a pool is made of it.',
    'Drain its pools first; templates of Sandport stay.',
    { carries: ['template'] },
  ),

  limit_reached: errorRow(
    429,
    'LimitError',
    'A limit of the daemon is reached.',
    'Delete what is not needed, or raise the limit in the configuration.',
    { retryable: true, carries: ['limit', 'namespace', 'resource'] },
  ),
  headers_too_large: errorRow(
    431,
    'BadRequestError',
    'The headers of the request are larger than 16 KiB.',
    'Send fewer or shorter headers.',
  ),
  internal: errorRow(
    500,
    'ServerError',
    'The daemon met a condition it did not expect.',
    'Look up the request id in the daemon log.',
    { carries: ['request_id'] },
  ),
  create_failed: errorRow(
    500,
    'ServerError',
    'The sandbox could not be started; nothing of it is left.',
    'See `reason`, and run `sandport doctor`.',
    { carries: ['reason'] },
  ),
  hibernate_failed: errorRow(
    500,
    'ServerError',
    'The sandbox could not be hibernated; it runs as before.',
    'See `reason`; delete background work that cannot be frozen, or try again.',
    { retryable: true, carries: ['sandbox', 'reason'] },
  ),
  fork_failed: errorRow(
    500,
    'ServerError',
    'No child of the sandbox could be made; the sandbox itself goes on.',
    'See `reason`.',
    { carries: ['sandbox', 'reason'] },
  ),
  snapshot_failed: errorRow(
    500,
    'ServerError',
    'The snapshot could not be made; nothing of it is left, and the sandbox goes on.',
    'See `reason`.',
    { carries: ['sandbox', 'reason'] },
  ),

  template_build_failed: errorRow(
    500,
    'ServerError',
    'The template could not be built.',
    'See `reason`; the build log names the step.',
    { carries: ['template', 'reason'] },
  ),
  tool_missing: errorRow(
    501,
    'ServerError',
    'A program that this needs is not installed on the machine of the daemon.',
    'Install the Debian package in `package`; `sandport doctor` lists what is missing.',
    { carries: ['program', 'package'] },
  ),

  upgrade_required: errorRow(
    426,
    'BadRequestError',
    'The route speaks WebSocket, and the request does not ask for it.',
    'Open it with a WebSocket client; a proxy in between has to pass `Upgrade` on.',
    { carries: ['route'] },
  ),
  command_ended: errorRow(
    409,
    'ConflictError',
    'The command does not run any more, so nothing can be told to it.',
    'Read how it ended, and what it wrote; start it again if it is still wanted.',
    { carries: ['sandbox', 'command'] },
  ),
  stdin_closed: errorRow(
    409,
    'ConflictError',
    'The command takes no input: it was started without one, or its input was ended.',
    'Start it with `stdin: true`.',
    { carries: ['sandbox', 'command'] },
  ),
  not_a_terminal: errorRow(
    409,
    'ConflictError',
    'The command has no terminal.',
    'Start it with `tty`.',
    { carries: ['sandbox', 'command'] },
  ),
  port_not_open: errorRow(
    502,
    'UnavailableError',
    'Nothing listens on this port inside the sandbox.',
    'Start the server in the sandbox, and see that it listens on 127.0.0.1 or on all addresses.',
    { retryable: true, carries: ['sandbox', 'port'] },
  ),
  shutting_down: errorRow(
    503,
    'UnavailableError',
    'The daemon is stopping.',
    'Send the request again after its restart.',
    { retryable: true },
  ),
  kernel_not_started: errorRow(
    504,
    'UnavailableError',
    'The program that runs the code did not start in time, or ended before it was ready.',
    'Try again; look whether the sandbox has memory and processes left.',
    { retryable: true, carries: ['sandbox', 'language'] },
  ),
  sandbox_unresponsive: errorRow(
    504,
    'UnavailableError',
    'The init process of the sandbox does not answer; its files can still be read and written.',
    'Try again, or delete the sandbox.',
    { retryable: true, carries: ['sandbox'] },
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];

/** True for a string that is a code of the table. */
export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorTable, value);
