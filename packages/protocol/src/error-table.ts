/**
 * Every error Sandport can answer with. One row a code: the HTTP status, whether the same request
 * may succeed when it is sent again, what the answer carries beside the sentence, and one line of
 * advice. The TypeScript and Python error classes, the OpenAPI responses and
 * docs/reference/errors.md are made from this table.
 */
export interface ErrorRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** True when the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** Class that the SDKs raise. */
  readonly errorClass: ErrorClassName;
  /** Names of the extra fields that the answer may carry. */
  readonly carries: readonly string[];
  /** When it happens, one sentence. */
  readonly meaning: string;
  /** What to do about it, one sentence. */
  readonly advice: string;
}

/** The SDKs' error classes below `SandportError`, coarsest useful split. */
export const errorClassNames = [
  'BadRequestError',
  'AuthError',
  'PermissionError',
  'NotFoundError',
  'ConflictError',
  'PreconditionFailedError',
  'TooLargeError',
  'LimitError',
  'ServerError',
  'UnavailableError',
  'StorageFullError',
] as const;
export type ErrorClassName = (typeof errorClassNames)[number];

const row = (
  status: number,
  errorClass: ErrorClassName,
  meaning: string,
  advice: string,
  extra: { retryable?: boolean; carries?: readonly string[] } = {},
): ErrorRow => ({
  status,
  retryable: extra.retryable ?? false,
  errorClass,
  carries: extra.carries ?? [],
  meaning,
  advice,
});

export const errorTable = {
  invalid_request: row(
    400,
    'BadRequestError',
    'The request has a field that is unknown, missing or of the wrong type, or is not valid JSON.',
    'Correct the field that the message names.',
    { carries: ['field', 'known'] },
  ),
  invalid_path: row(
    400,
    'BadRequestError',
    'The path is empty, relative, too long, or holds a NUL byte.',
    'Send an absolute path of at most 3900 bytes, each name at most 255 bytes.',
    { carries: ['path'] },
  ),
  symlink_loop: row(
    400,
    'BadRequestError',
    'The path runs through more than 40 symbolic links, or through a link that the kernel makes up.',
    'Name the file itself instead of the link.',
    { carries: ['path'] },
  ),
  unknown_template: row(
    400,
    'BadRequestError',
    'No template or alias has this name.',
    'Use one of the templates in `known`, or build it with `sandport template build`.',
    { carries: ['template', 'known'] },
  ),
  template_not_built: row(
    409,
    'ConflictError',
    'The template is known, but has not been built on this machine yet.',
    'Build it with `sandport template build NAME`.',
    { retryable: true, carries: ['template'] },
  ),
  isolation_unavailable: row(
    400,
    'BadRequestError',
    'This machine cannot run the isolation that was asked for.',
    'Run `sandport doctor` on the machine, or leave `isolation` out.',
    { carries: ['isolation', 'known'] },
  ),
  command_not_started: row(
    400,
    'BadRequestError',
    'The command could not be started: the program, the working directory or the user does not exist.',
    'Check `args[0]`, `cwd` and `user`.',
    { carries: ['errno', 'path'] },
  ),
  incomplete_body: row(
    400,
    'BadRequestError',
    'The body ended before the length that was announced; nothing was written.',
    'Send the file again.',
    { retryable: true, carries: ['path', 'expected_bytes', 'received_bytes'] },
  ),
  digest_mismatch: row(
    400,
    'BadRequestError',
    'The bytes that arrived do not have the digest that was announced; nothing was written.',
    'Send the file again.',
    { retryable: true, carries: ['path', 'expected', 'received'] },
  ),
  unauthorized: row(
    401,
    'AuthError',
    'The request carries no API key, or one that is not valid.',
    'Send `Authorization: Bearer KEY` or `X-API-Key: KEY`; the local key stands in client.json.',
  ),
  forbidden: row(
    403,
    'AuthError',
    'The API key is valid but may not do this.',
    'Use an administrator key.',
  ),
  invalid_pattern: row(
    400,
    'BadRequestError',
    'The glob or the regular expression cannot be read.',
    'Globs know `*`, `?`, `[a-z]`, `{a,b}` and `**`; regular expressions are in RE2 syntax, without look-around and back-references.',
    { carries: ['pattern', 'reason'] },
  ),
  invalid_archive: row(
    400,
    'BadRequestError',
    'The body is not a tar archive, or it is damaged; what was unpacked before stays.',
    'Send a tar archive, plain or packed with gzip or zstd.',
    { carries: ['path', 'entry', 'reason'] },
  ),
  unsafe_archive: row(
    400,
    'BadRequestError',
    'An entry of the archive would land outside of the directory, or is a device; what was unpacked before stays.',
    'Make the archive with relative names and without devices.',
    { carries: ['path', 'entry', 'reason'] },
  ),
  read_only: row(
    403,
    'PermissionError',
    'The path lies on a volume that is mounted read-only.',
    'Write elsewhere, or mount the volume without `read_only`.',
    { carries: ['path'] },
  ),
  permission_denied: row(
    403,
    'PermissionError',
    'The kernel does not allow this operation on the path.',
    'Check the flags of the file (immutable, append-only).',
    { carries: ['path', 'errno'] },
  ),
  sandbox_not_found: row(
    404,
    'NotFoundError',
    'No sandbox with this id or name exists in a namespace of this key.',
    'List the sandboxes with `sandport ls`.',
    { carries: ['sandbox'] },
  ),
  file_not_found: row(
    404,
    'NotFoundError',
    'Nothing exists at the path.',
    'List the directory above it.',
    { carries: ['path'] },
  ),
  template_not_found: row(
    404,
    'NotFoundError',
    'No template has this name.',
    'List the templates with `sandport template ls`.',
    { carries: ['template', 'known'] },
  ),
  volume_not_found: row(
    404,
    'NotFoundError',
    'No volume with this name exists in the namespace.',
    'List the volumes.',
    { carries: ['volume'] },
  ),
  upload_not_found: row(
    404,
    'NotFoundError',
    'No upload with this id is under way: it was finished, given up, or has expired.',
    'Begin the upload again.',
    { carries: ['upload'] },
  ),
  link_not_found: row(
    404,
    'NotFoundError',
    'The link does not exist: it was revoked, has expired, or is for another method.',
    'Ask for a new link.',
  ),
  key_not_found: row(404, 'NotFoundError', 'No API key has this id.', 'List the keys.', {
    carries: ['key'],
  }),
  route_not_found: row(
    404,
    'NotFoundError',
    'The API has no such route.',
    'See spec/openapi.json for the routes.',
    { carries: ['route'] },
  ),
  method_not_allowed: row(
    405,
    'BadRequestError',
    'The route exists, but not for this method.',
    'Use one of the methods in `known`.',
    { carries: ['route', 'known'] },
  ),
  request_timeout: row(
    408,
    'BadRequestError',
    'The client sent nothing for too long; nothing was written.',
    'Send the request again.',
    { retryable: true },
  ),
  is_directory: row(
    409,
    'ConflictError',
    'The path is a directory where a file is needed.',
    'Name a file, or list the directory.',
    { carries: ['path'] },
  ),
  not_a_directory: row(
    409,
    'ConflictError',
    'The path, or a part of it, is not a directory.',
    'Name a directory.',
    { carries: ['path'] },
  ),
  not_a_regular_file: row(
    409,
    'ConflictError',
    'The path is a FIFO, a socket, a device, or belongs to a file system of the kernel.',
    'Only regular files, directories and symbolic links are served; use a command for the rest.',
    { carries: ['path', 'file_type'] },
  ),
  directory_not_empty: row(
    409,
    'ConflictError',
    'The directory still has entries.',
    'Remove it with `recursive=true`.',
    { carries: ['path'] },
  ),
  already_exists: row(
    409,
    'ConflictError',
    'Something is at the path already.',
    'Choose another path, remove what is there, or send `overwrite: true`.',
    { carries: ['path', 'file_type'] },
  ),
  batch_failed: row(
    409,
    'ConflictError',
    'Some files of the batch could not be read or written, so none was.',
    'See `results`, or send the batch with `mode=each`.',
    { carries: ['results'] },
  ),
  file_changed: row(409, 'ConflictError', 'The file changed while it was read.', 'Read it again.', {
    retryable: true,
    carries: ['path'],
  }),
  upload_conflict: row(
    409,
    'ConflictError',
    'The upload has another number of bytes than the request says, or another request is adding to it.',
    'Ask how many bytes have come with HEAD, and go on from there.',
    { retryable: true, carries: ['upload', 'offset'] },
  ),
  path_busy: row(
    409,
    'ConflictError',
    'The path is in use: it is a mount point, the root, or is being changed at this moment.',
    'Name a path below it, or try again.',
    { retryable: true, carries: ['path'] },
  ),
  name_taken: row(
    409,
    'ConflictError',
    'Another sandbox of the namespace has this name.',
    'Choose another name, or delete that sandbox.',
    { carries: ['name'] },
  ),
  invalid_state: row(
    409,
    'ConflictError',
    'The sandbox is in a state in which this cannot be done.',
    'See `status` in the answer.',
    { carries: ['sandbox', 'status', 'reason'] },
  ),
  volume_in_use: row(
    409,
    'ConflictError',
    'The volume is mounted by a sandbox.',
    'Delete the sandboxes in `sandboxes` first.',
    { carries: ['volume', 'sandboxes'] },
  ),
  precondition_failed: row(
    412,
    'PreconditionFailedError',
    'The file is not in the state that the condition of the request names.',
    'Read the file again and repeat the change.',
    { carries: ['path'] },
  ),
  payload_too_large: row(
    413,
    'TooLargeError',
    'The body, or what it unpacks to, is larger than this request takes.',
    'Send file contents to the file routes, which have no limit, or raise the limit that the request names.',
    { carries: ['limit_bytes', 'limit_entries', 'path'] },
  ),
  format_unavailable: row(
    415,
    'BadRequestError',
    'The daemon cannot pack or unpack this format: the program for it is not installed.',
    'Use `tar` or `tar.gz`, or install `zstd` on the machine of the daemon.',
    { carries: ['format'] },
  ),
  range_not_satisfiable: row(
    416,
    'BadRequestError',
    'The range begins behind the end of the file.',
    'Ask for the size first.',
    { carries: ['path', 'size'] },
  ),
  limit_reached: row(
    429,
    'LimitError',
    'A limit of the daemon is reached.',
    'Delete what is not needed, or raise the limit in the configuration.',
    { retryable: true, carries: ['limit'] },
  ),
  headers_too_large: row(
    431,
    'BadRequestError',
    'The headers of the request are larger than 16 KiB.',
    'Send fewer or shorter headers.',
  ),
  internal: row(
    500,
    'ServerError',
    'The daemon met a condition it did not expect.',
    'Look up the request id in the daemon log.',
    { carries: ['request_id'] },
  ),
  create_failed: row(
    500,
    'ServerError',
    'The sandbox could not be started; nothing of it is left.',
    'See `reason`, and run `sandport doctor`.',
    { carries: ['reason'] },
  ),
  template_build_failed: row(
    500,
    'ServerError',
    'The template could not be built.',
    'See `reason`; the build log names the step.',
    { carries: ['template', 'reason'] },
  ),
  shutting_down: row(
    503,
    'UnavailableError',
    'The daemon is stopping.',
    'Send the request again after its restart.',
    { retryable: true },
  ),
  sandbox_unresponsive: row(
    504,
    'UnavailableError',
    'The init process of the sandbox does not answer; its files can still be read and written.',
    'Try again, or delete the sandbox.',
    { retryable: true, carries: ['sandbox'] },
  ),
  disk_full: row(
    507,
    'StorageFullError',
    'The disk, or the disk limit of the sandbox, is full; the file that was there is unchanged.',
    'Remove files, or create the sandbox with a larger `disk_mb`.',
    { carries: ['path'] },
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];

/** True for a string that is a code of the table. */
export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorTable, value);
