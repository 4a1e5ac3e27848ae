import { randomBytes } from 'node:crypto';
import type { CommandExit, KeptCommand } from '@sandport/driver';
import { type CodeError, type CodeResult, SandportFault } from '@sandport/protocol';
import { follow, type KeptOutput } from '../commands/kept/follow.ts';
import { FrameScanner } from './frame-scanner.ts';
import {
  bytesOfResult,
  type KernelFrame,
  maxResultFrameBytes,
  maxSmallFrameBytes,
} from './kernel-protocol.ts';
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
  readonly onOutput: (output: CodeOutput) => void;
  readonly resolve: (end: RunEnd) => void;
  readonly reject: (death: KernelDeath) => void;
  /** Streams between `begin` and `end`. */
  readonly begun: Set<Stream>;
  readonly ended: Set<Stream>;
  end: RunEnd;
  /** It is to be interrupted when it has begun. */
  isInterrupted: boolean;
  /** Of frames with results. */
  resultBytes: number;
}

/** Why a kernel is not there any more. */
export interface KernelDeath {
  /** Undefined: its sandbox stopped. */
  readonly exit: CommandExit | undefined;
  /** Why there is no exit. */
  readonly fault: unknown;
  readonly reason: string;
}

/** From SIGTERM to SIGKILL, for a kernel that ends what its code has started. */
const killGraceMs = 1_000;

/** Most of what a kernel wrote before it was ready that is told when it never is. */
const maxLastWords = 2_000;

/** Where the process of a kernel is found. */
export interface KernelProcess {
  /** After a hibernation it is another object. @throws when it is there no more */
  readonly find: () => KeptCommand;
  /** Resolves when the sandbox got or lost its processes, and when the signal aborts. */
  readonly changed: (signal: AbortSignal) => Promise<void>;
  /** Aborts when the sandbox is deleted. */
  readonly gone: AbortSignal;
  readonly mark: string;
  /** True: it was started by an earlier daemon, or in the parent of a fork. */
  readonly isAdopted: boolean;
}

/** A program in a sandbox that runs code; {@link kernelFrameSchema} has the protocol. */
export class Kernel {
  readonly #language: Language;
  readonly #process: KernelProcess;
  readonly #scanners: Readonly<Record<Stream, FrameScanner>>;
  #run: Run | undefined;
  #broken: string | undefined;
  #resolveReady: (missing: string | undefined) => void = () => undefined;
  /** Resolves with what it misses in the sandbox, if it cannot start for that. */
  readonly ready: Promise<string | undefined>;
  /** Resolves when it has ended and what it wrote has been handed out. */
  readonly ended: Promise<KernelDeath>;
  isEnded = false;
  #death: KernelDeath | undefined;
  #isReady: boolean;
  /** What it wrote on standard error before it was ready. */
  #lastWords = '';

  constructor(language: Language, process: KernelProcess) {
    this.#language = language;
    this.#process = process;
    this.#isReady = process.isAdopted;
    const { mark } = process;
    const scanner = (stream: Stream) => new FrameScanner(mark, () => this.#frameLimit(stream));
    this.#scanners = { stdout: scanner('stdout'), stderr: scanner('stderr') };
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    if (process.isAdopted) this.#resolveReady(undefined);
    const command = process.find();
    this.isEnded = command.state !== 'running';
    this.ended = this.#follow(command);
  }

  /** One at a time. Rejects with {@link KernelDeath} when the kernel ends before the code does. */
  run(code: string, onOutput: Run['onOutput']): Promise<RunEnd> {
    if (this.#run !== undefined) throw new Error('the kernel runs something else');
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const name = randomBytes(8).toString('hex');
    return new Promise<RunEnd>((resolve, reject) => {
      this.#run = {
        ...{ name, onOutput, resolve, reject },
        begun: new Set(),
        ended: new Set(),
        end: { exit: 0, count: undefined },
        isInterrupted: false,
        resultBytes: 0,
      };
      this.#write(`${name}\0${code}\0`);
    }).finally(() => {
      this.#run = undefined;
    });
  }

  /** Ends the code that runs, or as soon as it begins; not the kernel, if the code lets it. */
  interrupt(): void {
    if (this.#run !== undefined && this.#run.begun.size < 2) this.#run.isInterrupted = true;
    const message = this.#language.interruptMessage;
    if (message !== undefined) this.#write(`${message}\0`);
    this.#signal('SIGINT');
  }

  /** Ends the kernel, and what its code has started. */
  kill(): void {
    if (this.#language.endsByItself !== true) {
      this.#signal('SIGKILL');
      return;
    }
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), killGraceMs).unref();
    void this.ended.then(() => clearTimeout(timer));
  }

  /** Ends it and frees what is kept of it. */
  async remove(): Promise<void> {
    await this.#command?.remove();
  }

  /** Undefined when its sandbox has it no more. */
  get #command(): KeptCommand | undefined {
    try {
      return this.#process.find();
    } catch {
      return undefined;
    }
  }

  #signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void {
    if (!this.isEnded) this.#command?.kill(signal);
  }

  #write(text: string): void {
    const stdin = this.#command?.stdin;
    if (stdin === undefined) return;
    if (stdin.listenerCount('error') === 0) stdin.on('error', () => undefined);
    stdin.write(text);
  }

  /** Reads until the end, through hibernations. */
  async #follow(first: KeptCommand): Promise<KernelDeath> {
    const { find, changed, gone, isAdopted } = this.#process;
    // What was written before it was taken over belongs to runs of others.
    const since = (stream: Stream) => (isAdopted ? first.range(stream).endOffset : 0);
    let fault: unknown;
    const command = await follow({
      find,
      changed,
      since: { stdout: since('stdout'), stderr: since('stderr') },
      signal: gone,
      onOutput: (output) => this.#read(output),
    }).catch((error: unknown) => {
      if (!gone.aborted) fault = error;
      return undefined;
    });
    this.isEnded = true;
    this.#resolveReady(undefined);
    const exit = command?.end;
    fault ??= new SandportFault('invalid_state', 'The sandbox ended while the code ran.');
    const reason = this.#broken ?? reasonOf(exit);
    const lastWords = this.#isReady ? '' : this.#lastWords.trim();
    const death = { exit, fault, reason: lastWords === '' ? reason : `${reason}: ${lastWords}` };
    this.#death = death;
    this.#run?.reject(death);
    return death;
  }

  /** Between runs there are none, and no others than small ones on standard error. */
  #frameLimit(stream: Stream): number {
    if (this.#run === undefined && this.#isReady) return 0;
    const left = maxResultFrameBytes - (this.#run?.resultBytes ?? maxResultFrameBytes);
    return stream === 'stdout' ? Math.max(left, maxSmallFrameBytes) : 1024;
  }

  /** A kernel that does not keep to the protocol is killed, and not listened to any more. */
  #read(output: KeptOutput): void {
    if (this.#broken !== undefined) return;
    const { stream } = output;
    try {
      if ('gap' in output) throw new Error('output was lost');
      for (const scanned of this.#scanners[stream].add(output.bytes))
        if (scanned.type === 'frame') this.#take(stream, scanned.frame);
        else if (scanned.type === 'bytes')
          this.#hand(stream, { type: stream, bytes: scanned.bytes });
        else this.#hand(stream, { type: 'result', data: {}, leftOut: ['a result'] });
    } catch (error) {
      this.#broken = `it wrote what is not of its protocol: ${String(error).slice(0, 200)}`;
      this.kill();
    }
  }

  /** What is written between runs is thrown away. */
  #hand(stream: Stream, output: CodeOutput): void {
    const run = this.#run;
    if (!this.#isReady && output.type === 'stderr')
      this.#lastWords = (this.#lastWords + output.bytes.toString()).slice(-maxLastWords);
    if (run === undefined || !run.begun.has(stream) || run.ended.has(stream)) return;
    run.onOutput(output);
  }

  #take(stream: Stream, frame: KernelFrame): void {
    const run = this.#run;
    switch (frame.type) {
      case 'ready':
        this.#isReady = true;
        this.#resolveReady(undefined);
        return;
      case 'unavailable':
        this.#resolveReady(frame.missing);
        return;
      case 'begin':
        if (frame.run !== run?.name) return;
        run.begun.add(stream);
        if (run.begun.size < 2 || !run.isInterrupted) return;
        run.isInterrupted = false;
        this.interrupt();
        return;
      case 'result':
        if (run !== undefined) run.resultBytes += bytesOfResult(frame.data);
        this.#hand(stream, {
          type: 'result',
          data: frame.data,
          leftOut: frame.left_out ?? [],
        });
        return;
      case 'error': {
        const { name, value, traceback } = frame;
        this.#hand(stream, { type: 'error', error: { name, value, traceback } });
        return;
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
