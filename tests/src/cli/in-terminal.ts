import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sandportBin, type UsedDaemon, waitFor } from '../harness/index.ts';

/** A command line in a pseudo-terminal of its own, by util-linux's `script`. */
export class InTerminal implements AsyncDisposable {
  readonly #child;
  readonly #closed: Promise<unknown>;
  #shown = '';
  /** How much has been matched. */
  #at = 0;

  constructor(
    used: UsedDaemon,
    args: readonly string[],
    size: { rows: number; cols: number },
    env: Readonly<Record<string, string>> = {},
  ) {
    const words = [process.execPath, sandportBin, ...args].map(quoted).join(' ');
    const line = `stty rows ${size.rows} cols ${size.cols}; tty; exec ${words}`;
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: '/nonexistent',
        SHELL: '/bin/sh',
        TERM: 'xterm-256color',
        SANDPORT_URL: used.daemon.url,
        SANDPORT_API_KEY: used.daemon.apiKey,
        ...env,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#shown += chunk.toString()));
  }

  /** Waits until it shows this behind what was waited for before. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const what = `${pattern} in the terminal`;
    const look = () => pattern.exec(this.#shown.slice(this.#at)) ?? undefined;
    const found = await waitFor(look, { what, timeoutMs: 20_000 }).catch((error: Error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(this.#shown.slice(-2000))}`);
    });
    this.#at += found.index + found[0].length;
    return found;
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Changes the size of the window. */
  async resize(device: string, rows: number, cols: number): Promise<void> {
    const stty = spawn('stty', ['-F', device, 'rows', String(rows), 'cols', String(cols)]);
    await once(stty, 'close');
  }

  /** Resolves with the exit code. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
