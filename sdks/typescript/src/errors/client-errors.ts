import { SandportError } from './sandport-error.ts';

/** The client does not know where the daemon is, or with which key to speak to it. */
export class ConfigurationError extends SandportError {
  override name = 'ConfigurationError';

  constructor(message: string) {
    super(message, { code: 'not_configured' });
  }
}

/** The daemon could not be reached, or the connection broke. */
export class NetworkError extends SandportError {
  override name = 'NetworkError';

  constructor(message: string, cause?: unknown) {
    super(message, { code: 'network_error', retryable: true, cause });
  }
}

/** The daemon was silent for longer than the idle timeout. */
export class TimeoutError extends SandportError {
  override name = 'TimeoutError';

  constructor(message: string) {
    super(message, { code: 'idle_timeout', retryable: true });
  }
}

/** A file on this machine could not be read or written. `details.errno` is as `ENOENT`. */
export class LocalFileError extends SandportError {
  override name = 'LocalFileError';

  constructor(message: string, path: string, cause?: unknown) {
    const errno = errnoOf(cause);
    super(message, {
      code: 'local_file',
      details: { path, ...(errno !== undefined && { errno }) },
      cause,
    });
  }
}

/** A command ended with another exit code than 0, where that was asked to be an error. */
export class CommandError extends SandportError {
  override name = 'CommandError';
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;

  constructor(message: string, result: { exitCode: number; stdout: string; stderr: string }) {
    super(message, { code: 'command_failed', details: { exit_code: result.exitCode } });
    this.exitCode = result.exitCode;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

/** The system's code of a Node error, as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/**
 * An archive from a sandbox holds an entry that would land outside of the target, or that no
 * directory should get. `details.entry` names it. What was unpacked before stays.
 */
export class UnsafeArchiveError extends SandportError {
  override name = 'UnsafeArchiveError';

  constructor(entry: string, why: string) {
    super(`The archive from the sandbox is refused: the entry ${JSON.stringify(entry)} ${why}.`, {
      code: 'unsafe_archive',
      details: { entry, reason: why },
    });
  }
}

/** An archive from a sandbox is damaged or cut. What was unpacked before stays. */
export class InvalidArchiveError extends SandportError {
  override name = 'InvalidArchiveError';

  constructor(why: string, cause?: unknown) {
    super(`The archive from the sandbox cannot be read: ${why}.`, {
      code: 'invalid_archive',
      retryable: true,
      details: { reason: why },
      cause,
    });
  }
}

/** The daemon no longer has an upload, and the file is not there: begin it again. */
export class UploadLostError extends SandportError {
  override name = 'UploadLostError';

  constructor(localPath: string, remotePath: string) {
    super(
      `The daemon has no record of the upload of ${localPath} to ${remotePath} any more. Begin it again.`,
      { code: 'upload_lost', retryable: true, details: { path: remotePath } },
    );
  }
}

/** The processes of a command went with those of its sandbox, and nobody knows how it ended. */
export class CommandLostError extends SandportError {
  override name = 'CommandLostError';

  constructor(id: string) {
    super(
      `The command ${id} was lost: its processes went with those of the sandbox. What it had written can still be read.`,
      { code: 'command_lost', details: { id } },
    );
  }
}
