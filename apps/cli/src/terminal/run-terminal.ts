import type { CommandEnd, PtyHandle, PtyOptions } from 'sandport';
import { writeAll } from '../output/print.ts';
import { EscapeKeys } from './escape-keys.ts';
import { joinWindow, ownSize, type TerminalSize } from './own-terminal.ts';

export interface TerminalSession {
  /** Starts the terminal, or takes up one that runs. */
  readonly open: (
    size: TerminalSize,
    options: Pick<PtyOptions, 'onData' | 'onRetry'>,
  ) => Promise<PtyHandle>;
  readonly signal: AbortSignal;
}

export interface TerminalOutcome {
  readonly pty: PtyHandle;
  /** Undefined: it was left, and goes on. */
  readonly end: CommandEnd | undefined;
}

const endOfInput = '\u0004';

/**
 * Joins this process's terminal with one in a sandbox, until that ends or is left by `~.`.
 * @throws the signal's reason, after leaving it
 */
export async function runTerminal({ open, signal }: TerminalSession): Promise<TerminalOutcome> {
  let told = false;
  const pty = await open(ownSize(), {
    onData: (bytes) => writeAll(process.stdout, bytes),
    onRetry() {
      if (!told) process.stderr.write('\r\nsandport: the connection broke; trying again.\r\n');
      told = true;
    },
  });
  const abort = () => void pty.disconnect(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  using _ = joinWindow((size) => void pty.resize(size).catch(() => {}));
  try {
    if (signal.aborted) abort();
    const end = await Promise.race([pty.wait(), passKeys(pty, process.stdin)]);
    return { pty, end };
  } finally {
    signal.removeEventListener('abort', abort);
    await pty.disconnect();
  }
}

/** Resolves when the terminal is left. */
async function passKeys(pty: PtyHandle, input: AsyncIterable<Buffer>): Promise<undefined> {
  const escape = process.stdin.isTTY ? new EscapeKeys() : undefined;
  try {
    for await (const keys of input) {
      const { bytes, left } = escape?.take(keys) ?? { bytes: keys, left: false };
      // Keys that a broken connection swallowed are pressed again.
      if (bytes.byteLength > 0) await pty.write(bytes).catch(() => {});
      if (left) return undefined;
    }
    await pty.write(endOfInput);
  } catch {
    // The terminal has ended, or this input has.
  }
  return new Promise(() => {});
}
