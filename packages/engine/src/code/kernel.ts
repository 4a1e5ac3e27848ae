import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Command, CommandExit } from '@sandport/driver';
import type { CodeError, CodeResult } from '@sandport/protocol';
import { FrameScanner } from './frame-scanner.ts';
import type { KernelFrame } from './kernel-protocol.ts';
import type { Language } from './languages.ts';

/** What a run gives while it goes on. */
export type CodeOutput =
  | { readonly type: 'stdout' | 'stderr'; readonly bytes: Buffer }
  | { readonly type: 'result'; readonly data: CodeResult; readonly leftOut: readonly string[] }
  | { readonly type: 'error'; readonly error: CodeError };

export interface RunEnd {
  readonly exit: number;
  readonly count: number | undefined;
}

type Stream = 'stdout' | 'stderr';

interface Run {
  readonly name: string;
  readonly onOutput: (output: CodeOutput) => void | Promise<void>;
  readonly resolve: (end: RunEnd) => void;
  /** Streams between `begin` and `end`. */
  readonly begun: Set<Stream>;
  readonly ended: Set<Stream>;
  end: RunEnd;
}

/** Why a kernel is not there any more. */
export interface KernelDeath {
  /** Undefined: its sandbox stopped. */
  readonly exit: CommandExit | undefined;
  /** Why there is no exit. */
  readonly fault: unknown;
  readonly reason: string;
}

/** Most of what a kernel wrote before it was ready that is told when it never is. */
const maxLastWords = 2_000;

/** A program in a sandbox that runs code; {@link kernelFrameSchema} has the protocol. */
export class Kernel {
  readonly #language: Language;
  readonly #command: Command;
  #run: Run | undefined;
  #runs = 0;
  #broken: string | undefined;
  #resolveReady: (missing: string | undefined) => void = () => undefined;
  /** Resolves with what it misses in the sandbox, if it cannot start for that. */
  readonly ready: Promise<string | undefined>;
  /** Resolves when it has ended and what it wrote has been handed out. */
  readonly ended: Promise<KernelDeath>;
  isEnded = false;
  #isReady = false;
  /** What it wrote on standard error before it was ready. */
  #lastWords = '';

  private constructor(language: Language, command: Command, mark: string) {
    this.#language = language;
    this.#command = command;
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    command.stdin?.on('error', () => undefined);
    const streams = [this.#read('stdout', mark), this.#read('stderr', mark)];
    this.ended = this.#watch(streams);
  }

  static async start(
    language: Language,
    start: (args: readonly string[]) => Promise<Command>,
  ): Promise<Kernel> {
    const mark = randomBytes(16).toString('hex');
    return new Kernel(language, await start(language.args(mark)), mark);
  }

  /** One at a time. Rejects with {@link KernelDeath} when the kernel ends before the code does. */
  run(code: string, onOutput: Run['onOutput']): Promise<RunEnd> {
    if (this.#run !== undefined) throw new Error('the kernel runs something else');
    this.#runs += 1;
    const name = String(this.#runs);
    const finished = new Promise<RunEnd>((resolve) => {
      const end = { exit: 0, count: undefined };
      this.#run = { name, onOutput, resolve, begun: new Set(), ended: new Set(), end };
    });
    this.#command.stdin?.write(`${name}\0${code}\0`);
    const died = this.ended.then((death) => Promise.reject(death));
    return Promise.race([finished, died]).finally(() => {
      this.#run = undefined;
    });
  }

  /** Ends the code that runs, not the kernel, if the code lets it. */
  interrupt(): void {
    const message = this.#language.interruptMessage;
    if (message !== undefined) this.#command.stdin?.write(`${message}\0`);
    this.#command.kill('SIGINT');
  }

  kill(): void {
    this.#command.kill('SIGKILL');
  }

  async #watch(streams: readonly Promise<void>[]): Promise<KernelDeath> {
    let fault: unknown;
    const [exit] = await Promise.all([
      this.#command.exit.catch((error: unknown) => {
        fault = error;
        return undefined;
      }),
      ...streams,
    ]);
    this.isEnded = true;
    this.#resolveReady(undefined);
    const reason = this.#broken ?? reasonOf(exit);
    const lastWords = this.#isReady ? '' : this.#lastWords.trim();
    return { exit, fault, reason: lastWords === '' ? reason : `${reason}: ${lastWords}` };
  }

  /** Reads until the end; a kernel that does not keep to the protocol is killed. */
  async #read(stream: Stream, mark: string): Promise<void> {
    const readable: Readable = this.#command[stream];
    const scanner = new FrameScanner(mark);
    try {
      for await (const chunk of readable)
        for (const scanned of scanner.add(chunk))
          if (scanned.type === 'frame') await this.#take(stream, scanned.frame);
          else await this.#hand(stream, { type: stream, bytes: scanned.bytes });
    } catch (error) {
      this.#broken ??= `it wrote what is not of its protocol: ${String(error).slice(0, 200)}`;
      this.kill();
      readable.destroy();
    }
  }

  /** What is written between runs is thrown away. */
  async #hand(stream: Stream, output: CodeOutput): Promise<void> {
    const run = this.#run;
    if (!this.#isReady && output.type === 'stderr')
      this.#lastWords = (this.#lastWords + output.bytes.toString()).slice(-maxLastWords);
    if (run === undefined || !run.begun.has(stream) || run.ended.has(stream)) return;
    await run.onOutput(output);
  }

  async #take(stream: Stream, frame: KernelFrame): Promise<void> {
    const run = this.#run;
    switch (frame.type) {
      case 'ready':
        this.#isReady = true;
        return this.#resolveReady(undefined);
      case 'unavailable':
        return this.#resolveReady(frame.missing);
      case 'begin':
        if (frame.run === run?.name) run.begun.add(stream);
        return;
      case 'result':
        return this.#hand(stream, {
          type: 'result',
          data: frame.data,
          leftOut: frame.left_out ?? [],
        });
      case 'error': {
        const { name, value, traceback } = frame;
        return this.#hand(stream, { type: 'error', error: { name, value, traceback } });
      }
      case 'end':
        if (frame.run !== run?.name || !run.begun.has(stream)) return;
        run.ended.add(stream);
        if (stream === 'stdout') run.end = { exit: frame.exit, count: frame.count ?? undefined };
        if (run.ended.size === 2) run.resolve(run.end);
    }
  }
}

function reasonOf(exit: CommandExit | undefined): string {
  if (exit === undefined) return 'its sandbox stopped';
  if (exit.oomKilled) return 'it needed more memory than the sandbox has';
  return exit.exitCode > 128
    ? `signal ${exit.signal ?? exit.exitCode - 128} ended it (out of memory, or the code itself)`
    : `it ended with exit code ${exit.exitCode}`;
}
