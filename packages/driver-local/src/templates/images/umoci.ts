import { ToolError } from '../tools/run-tool.ts';
import { runConfined } from '../tools/run-confined.ts';
import { InvalidImage } from './invalid-image.ts';

export interface UnpackImageOptions {
  /** Private directory with the image as `layout`. */
  readonly directory: string;
  /** Empty directory that gets the root file system. */
  readonly rootPath: string;
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 60 * 60_000;

/** Unpacks, and takes away what is no file, directory or symlink: no sandbox needs it. */
const script = `
umoci raw unpack --image /work/layout:image /root
find /root -xdev ! -type f ! -type d ! -type l -delete
`;

/**
 * Unpacks an image in a root of its own, in which nothing but the target can be written.
 * @throws InvalidImage, ToolError
 */
export async function unpackImage(options: UnpackImageOptions): Promise<void> {
  const { directory, rootPath, onLine, signal, maxBytes } = options;
  try {
    await runConfined('sh', ['-ec', script], {
      directory,
      paths: [
        { source: `${directory}/layout`, target: '/work/layout' },
        { source: rootPath, target: '/root', writable: true },
      ],
      maxFileBytes: maxBytes,
      timeoutMs,
      onLine: (line) => onLine(line.trim()),
      signal,
      failureIn: umociFailure,
    });
  } catch (error) {
    if (
      !(error instanceof ToolError) ||
      /no space left|^(setpriv|unshare|mount|sh): /.test(error.message)
    )
      throw error;
    throw new InvalidImage(`it cannot be unpacked: ${error.message}`, { cause: error });
  }
}

const umociFailure = (line: string): string | undefined =>
  /^\s*⨯ (.*)$/.exec(line)?.[1] ?? /^(?:setpriv|unshare|mount|sh|find): .*/.exec(line)?.[0];
