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
