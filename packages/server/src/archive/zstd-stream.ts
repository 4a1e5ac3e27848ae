import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = 'zstd';
const maxMessageLength = 500;
const nobody = 65_534;

let found = false;

/** Whether the program is installed. Looked for until it is found. */
export async function hasZstd(): Promise<boolean> {
  if (found) return true;
  try {
    await run(program, ['--version']);
    found = true;
  } catch {
    return false;
  }
  return found;
}

/**
 * Packs or unpacks by the program `zstd`, in a process without rights of its own: what it unpacks
 * comes from outside. Ends only after the program has ended well; it is killed when the stream is
 * destroyed.
 */
export class ZstdStream extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;
  #message = '';

  constructor(direction: 'pack' | 'unpack') {
    super();
    const how = direction === 'pack' ? ['-T1', '-3'] : ['-d', '-M128MB'];
    this.#child = spawn(program, ['-q', '-c', ...how], {
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      ...(process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}),
    });
    const { stdin, stdout, stderr } = this.#child;
    this.#child.on('error', (error) => this.destroy(error));
    this.#child.on('close', (code) => {
      if (code === 0) this.push(null);
      else this.destroy(new Error(`zstd: ${this.#message || `it ended with ${code}`}`));
    });
    // A program that ends early says why on its standard error.
    stdin.on('error', () => {});
    stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#message = (this.#message + text).slice(0, maxMessageLength).trim();
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    if (this.#child.stdin.destroyed) return; // The end of the program is told by its 'close'.
    this.#child.stdin.write(chunk, () => callback());
  }

  override _final(callback: () => void): void {
    this.#child.stdin.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#child.kill('SIGKILL');
    callback(error);
  }
}
