import { closeSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryFile } from '../ffi/spawn-calls.ts';
import { OutputPipe } from './output-pipe.ts';
import { ProgramError } from './program-error.ts';
import { type StartProgramOptions, startProgram } from './start-program.ts';

export interface RunProgramOptions extends Pick<StartProgramOptions, 'env'> {
  /** Its standard input; nothing without one. */
  readonly input?: string | undefined;
  /**
   * `collected`: what it prints is the result. `nothing`: /dev/null, for what leaves processes
   * behind. A descriptor is all three standard files; it stays open. @default 'collected'
   */
  readonly files?: 'collected' | 'nothing' | number;
  /** Longest that it may take; it is killed then. @default no limit */
  readonly timeoutMs?: number;
  /** Kills it. */
  readonly signal?: AbortSignal | undefined;
  /** A program that prints more is killed. @default 4 MiB */
  readonly mostOutputBytes?: number;
}

/** What a program has printed; empty when that was not collected. */
export interface ProgramOutput {
  readonly stdout: string;
  /** At most its first 64 KiB. */
  readonly stderr: string;
}

const mostErrorBytes = 64 * 1024;
/** Processes that a program leaves behind may hold its output open. */
const longestDrainMs = 1000;

/**
 * Runs a program to its end, without a shell and without a copy of this process.
 * @param program a path, or the name of one that is installed
 * @throws ProgramError when it is not installed, ends otherwise than with 0, prints too much or takes
 * too long; the signal's reason; SystemError when it cannot be executed. It has ended in any case.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramOutput> {
  const { files = 'collected', signal } = options;
  signal?.throwIfAborted();
  using output = files === 'collected' ? new Output(options.mostOutputBytes) : undefined;
  using input = new Input(options.input);
  const started = await startProgram(program, args, {
    ...(options.env && { env: options.env }),
    stdin: typeof files === 'number' ? files : input.descriptor,
    stdout: typeof files === 'number' ? files : output?.stdout.writeEnd,
    stderr: typeof files === 'number' ? files : output?.stderr.writeEnd,
  });
  let reason: string | undefined;
  const kill = (why?: string) => {
    reason ??= why;
    started.signal('SIGKILL');
  };
  const abort = () => kill();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const { timeoutMs } = options;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => kill(`it took longer than ${timeoutMs} ms`), timeoutMs);
  output?.begin((limit) => kill(`it printed more than ${limit} bytes`));
  try {
    const end = await started.ended;
    signal?.throwIfAborted();
    await output?.drain();
    const printed = { stdout: output?.stdoutText ?? '', stderr: output?.stderrText ?? '' };
    if (reason !== undefined) throw new ProgramError(program, reason);
    if (end.exitCode !== 0) throw new ProgramError(program, printed.stderr, end);
    return printed;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A text as a file in memory: nobody has to wait for its reader. */
class Input implements Disposable {
  readonly descriptor: number | undefined;

  constructor(text: string | undefined) {
    if (text === undefined) return;
    this.descriptor = createMemoryFile();
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.descriptor, bytes, at, bytes.length - at, at);
  }

  [Symbol.dispose](): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
  }
}

/** Collects both outputs within bounds. */
class Output implements Disposable {
  readonly stdout = new OutputPipe();
  readonly stderr: OutputPipe;
  readonly #mostBytes: number;
  readonly #printed: Buffer[] = [];
  #printedBytes = 0;
  readonly #errors: Buffer[] = [];
  #errorBytes = 0;

  constructor(mostBytes = 4 * 2 ** 20) {
    this.#mostBytes = mostBytes;
    try {
      this.stderr = new OutputPipe();
    } catch (error) {
      this.stdout[Symbol.dispose]();
      throw error;
    }
  }

  /** Reads on, from when the program has its ends of the pipes. */
  begin(onTooMuch: (limitBytes: number) => void): void {
    for (const pipe of [this.stdout, this.stderr]) pipe.closeWriteEnd();
    this.stdout.stream.on('data', (chunk: Buffer) => {
      this.#printedBytes += chunk.length;
      if (this.#printedBytes <= this.#mostBytes) this.#printed.push(chunk);
      else onTooMuch(this.#mostBytes);
    });
    this.stderr.stream.on('data', (chunk: Buffer) => {
      this.#errorBytes += chunk.length;
      if (this.#errorBytes - chunk.length < mostErrorBytes) this.#errors.push(chunk);
    });
  }

  /** Resolves when all has been read that the program has printed. */
  async drain(): Promise<void> {
    const both = Promise.all([this.stdout.ended, this.stderr.ended]);
    const patience = new AbortController();
    const late = sleep(longestDrainMs, undefined, { signal: patience.signal });
    late.catch(() => undefined);
    await Promise.race([both, late]);
    patience.abort();
  }

  get stdoutText(): string {
    return Buffer.concat(this.#printed).toString();
  }

  get stderrText(): string {
    return Buffer.concat(this.#errors).subarray(0, mostErrorBytes).toString();
  }

  [Symbol.dispose](): void {
    this.stdout[Symbol.dispose]();
    this.stderr[Symbol.dispose]();
  }
}
