import { randomBytes } from 'node:crypto';
import type { CommandExit, KeptCommand } from '@sandport/driver';
import { type CodeError, type CodeResult, SandportFault } from '@sandport/protocol';
import { follow, type KeptOutput } from '../commands/kept/follow.ts';
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
  readonly onOutput: (output: CodeOutput) => void;
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
  #isReady: boolean;
  /** What it wrote on standard error before it was ready. */
  #lastWords = '';

  constructor(language: Language, process: KernelProcess) {
    this.#language = language;
    this.#process = process;
    this.#isReady = process.isAdopted;
    const { mark } = process;
    this.#scanners = { stdout: new FrameScanner(mark), stderr: new FrameScanner(mark) };
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
    const name = randomBytes(8).toString('hex');
    const finished = new Promise<RunEnd>((resolve) => {
      const end = { exit: 0, count: undefined };
      this.#run = { name, onOutput, resolve, begun: new Set(), ended: new Set(), end };
    });
    this.#write(`${name}\0${code}\0`);
    const died = this.ended.then((death) => Promise.reject(death));
    return Promise.race([finished, died]).finally(() => {
      this.#run = undefined;
    });
  }

  /** Ends the code that runs, not the kernel, if the code lets it. */
  interrupt(): void {
    const message = this.#language.interruptMessage;
    if (message !== undefined) this.#write(`${message}\0`);
    this.#signal('SIGINT');
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  /** Ends it and frees what is kept of it. */
  async remove(): Promise<void> {
    if (!this.isEnded) this.kill();
    await this.#process.find().remove();
  }

  #signal(signal: 'SIGINT' | 'SIGKILL'): void {
    if (!this.isEnded) this.#process.find().kill(signal);
  }

  #write(text: string): void {
    const { stdin } = this.#process.find();
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
    return { exit, fault, reason: lastWords === '' ? reason : `${reason}: ${lastWords}` };
  }

  /** A kernel that does not keep to the protocol is killed, and not listened to any more. */
  #read(output: KeptOutput): void {
    if (this.#broken !== undefined) return;
    const { stream } = output;
    try {
      if ('gap' in output) throw new Error('output was lost');
      for (const scanned of this.#scanners[stream].add(output.bytes))
        if (scanned.type === 'frame') this.#take(stream, scanned.frame);
        else this.#hand(stream, { type: stream, bytes: scanned.bytes });
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
        if (frame.run === run?.name) run.begun.add(stream);
        return;
      case 'result':
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
