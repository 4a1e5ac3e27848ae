import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CodeContextObject,
  type CodeEnd,
  type CodeError,
  SandportFault,
} from '@sandport/protocol';
import { Turns } from '../sandboxes/turns.ts';
import type { Kernel, KernelDeath, CodeOutput, RunEnd } from './kernel.ts';
import type { ContextDetails } from './context-details.ts';
import type { Language } from './languages.ts';
import type { StartTurns } from './start-turns.ts';
import { OutputBound } from './run-result.ts';

/** How long code may go on after an interrupt before its kernel is killed. */
const interruptGraceMs = 2_000;
const startTimeoutMs = 60_000;
/** Runs that may wait for another one of the same context. */
const maxWaiting = 32;

export interface CodeContextOptions {
  readonly sandboxId: string;
  readonly details: ContextDetails;
  readonly language: Language;
  /** Starts a kernel in the sandbox. @throws SandportFault as a command that is started */
  readonly start: () => Promise<Kernel>;
  /** Starts that take long wait for each other. */
  readonly startTurns: StartTurns;
  /** One that is there already. */
  readonly kernel?: Kernel | undefined;
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Interrupts the code. */
  readonly signal?: AbortSignal | undefined;
}

/** Code runs here one after the other; variables live from one run to the next. */
export class CodeContext {
  readonly #options: CodeContextOptions;
  readonly #turns = new Turns();
  readonly #closed = new AbortController();
  #kernel: Kernel | undefined;
  /** Aborts when the code that runs is to end at all costs. */
  #stop: AbortController | undefined;
  #waiting = 0;
  /** True: variables were lost since the last run. */
  #lost = false;
  /** Of the kernel, when its own context has ended it. */
  #whyKilled: string | undefined;

  constructor(options: CodeContextOptions) {
    this.#options = options;
    this.#kernel = options.kernel;
  }

  get object(): CodeContextObject {
    const { sandboxId, language, details } = this.#options;
    const { id, cwd, is_default: isDefault, created_at: createdAt } = details;
    return {
      id,
      sandbox_id: sandboxId,
      language: language.name,
      status: this.#hasEnded ? 'ended' : this.#stop === undefined ? 'idle' : 'busy',
      ...(cwd === undefined ? {} : { cwd }),
      is_default: isDefault,
      created_at: createdAt,
    };
  }

  get #hasEnded(): boolean {
    return this.#kernel?.isEnded ?? true;
  }

  /** Resolves when code can run. @throws SandportFault `language_unavailable`, `kernel_not_started` */
  begin(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#running();
    });
  }

  /**
   * Runs code, after what was asked for before. Code that does not end in time is interrupted; when
   * that does not help within 2 seconds, the kernel is killed, and the variables are lost.
   */
  async run(
    code: string,
    onOutput: (output: CodeOutput) => void | Promise<void>,
    { timeoutMs, signal }: RunOptions,
  ): Promise<CodeEnd> {
    if (this.#waiting >= maxWaiting)
      throw new SandportFault('limit_reached', `${maxWaiting} runs of this context wait already.`, {
        limit: maxWaiting,
        resource: 'runs',
      });
    this.#waiting += 1;
    const { end, handed } = await this.#turns.take(async () => {
      this.#waiting -= 1;
      signal?.throwIfAborted();
      return this.#runNow(code, onOutput, { timeoutMs, signal });
    });
    await handed;
    return end;
  }

  /** Of the code that runs. No error when none does. */
  interrupt(): void {
    if (this.#stop !== undefined) this.#kernel?.interrupt();
  }

  /** Variables are gone after it. */
  async restart(): Promise<void> {
    this.#killKernel('The context was started anew while the code ran.');
    await this.#turns.take(async () => {
      await this.#kernel?.remove();
      this.#kernel = undefined;
      this.#lost = false;
      await this.#running();
    });
  }

  /** True while a program in the sandbox belongs to it. */
  get isAlive(): boolean {
    return !this.#hasEnded;
  }

  /** True: no program for it has ever started. */
  get isEmpty(): boolean {
    return this.#kernel === undefined && !this.#turns.busy;
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#whyKilled = 'The context was closed while the code ran.';
    await this.#kernel?.remove();
  }

  #killKernel(why: string): void {
    this.#whyKilled = why;
    this.#kernel?.kill();
  }

  async #runNow(
    code: string,
    onOutput: (output: CodeOutput) => void | Promise<void>,
    { timeoutMs, signal }: RunOptions,
  ): Promise<{ end: CodeEnd; handed: Promise<void> }> {
    const kernel = await this.#running();
    const startedAt = performance.now();
    const restarted = this.#lost;
    this.#lost = false;
    const bound = new OutputBound();
    let error: CodeError | undefined;
    const stop = new AbortController();
    this.#stop = stop;
    // Who takes it slowly does not hold the code: what is not taken yet is bounded.
    let handed = Promise.resolve();
    const isGone = () => stop.signal.reason === 'gone';
    const hand = (output: CodeOutput) => {
      const passed = bound.cut(output);
      if (passed?.type === 'error') error = passed.error;
      if (passed === undefined || isGone()) return;
      handed = handed.then(() => (isGone() ? undefined : onOutput(passed))).catch(onGone);
    };
    const onGone = () => stop.abort('gone');
    signal?.addEventListener('abort', onGone, { once: true });
    if (signal?.aborted) onGone();
    const timer = setTimeout(() => stop.abort('timed out'), timeoutMs);
    const running = kernel.run(code, hand);
    const watch = this.#watch(kernel, stop.signal, running);
    try {
      const end = await running.catch((death: unknown) => {
        if (!isDeath(death)) throw death;
        this.#lost = true;
        if (death.exit === undefined) throw death.fault;
        const last = this.#errorOf(death);
        if (last !== undefined) hand({ type: 'error', error: last });
        error = last ?? error;
        return { exit: death.exit?.exitCode ?? 1, count: undefined } satisfies RunEnd;
      });
      return {
        handed,
        end: {
          exit: end.exit,
          ...(error === undefined ? {} : { error: sentenceOf(error), error_details: error }),
          ...(end.count === undefined ? {} : { execution_count: end.count }),
          ...(stop.signal.reason === 'timed out' ? { timed_out: true } : {}),
          ...(restarted ? { restarted } : {}),
          ...(bound.truncated ? { truncated: true } : {}),
          duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
        },
      };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onGone);
      this.#stop = undefined;
      await watch;
    }
  }

  /** Interrupts the code when it is to end, and kills the kernel when that does not end it. */
  async #watch(kernel: Kernel, stop: AbortSignal, running: Promise<unknown>): Promise<void> {
    const over = running.then(
      () => true,
      () => true,
    );
    const stopped = new Promise<false>((resolve) => {
      stop.addEventListener('abort', () => resolve(false), { once: true });
      if (stop.aborted) resolve(false);
    });
    if (await Promise.race([over, stopped])) return;
    kernel.interrupt();
    const grace = new AbortController();
    const late = sleep(interruptGraceMs, false, { signal: grace.signal }).catch(() => false);
    const isOver = await Promise.race([over, late]);
    grace.abort();
    if (!isOver)
      this.#killKernel(
        `The code did not end within ${interruptGraceMs / 1000} seconds of an interrupt, and its kernel was killed.`,
      );
  }

  /** The kernel, started if there is none. */
  async #running(): Promise<Kernel> {
    if (this.#closed.signal.aborted) throw this.#wasClosed();
    // One that is being killed may be there for a moment, and even end a run.
    const isGood = !this.#hasEnded && this.#whyKilled === undefined;
    if (this.#kernel !== undefined && isGood) return this.#kernel;
    const ended = this.#kernel;
    // What its code has left behind may need the room.
    await ended?.remove();
    const start = () => this.#startKernel();
    const { language, startTurns } = this.#options;
    this.#kernel = await (language.startsSlowly ? startTurns.take(start) : start());
    this.#whyKilled = undefined;
    if (ended !== undefined) this.#lost = true;
    return this.#kernel;
  }

  async #startKernel(): Promise<Kernel> {
    if (this.#closed.signal.aborted) throw this.#wasClosed();
    const { language, start } = this.#options;
    const kernel = await start().catch((error: unknown) => {
      throw isMissingProgram(error, language) ? this.#unavailable(language.needs) : error;
    });
    const over = new AbortController();
    const late = sleep(startTimeoutMs, 'late' as const, { signal: over.signal }).catch(
      () => undefined,
    );
    const missing = await Promise.race([kernel.ready, late]);
    over.abort();
    if (missing === undefined && !kernel.isEnded) {
      if (!this.#closed.signal.aborted) return kernel;
      await kernel.remove();
      throw this.#wasClosed();
    }
    kernel.kill();
    const { reason } = await kernel.ended;
    await kernel.remove();
    if (missing !== undefined && missing !== 'late') throw this.#unavailable(missing);
    throw new SandportFault(
      'kernel_not_started',
      `The kernel for ${language.name} did not start: ${missing === 'late' ? `it was not ready after ${startTimeoutMs / 1000} seconds` : reason}.`,
      { language: language.name, sandbox: this.#options.sandboxId },
    );
  }

  #wasClosed(): SandportFault {
    const { id } = this.#options.details;
    return new SandportFault('context_not_found', 'The context was closed.', { context: id });
  }

  #unavailable(missing: string): SandportFault {
    const { name } = this.#options.language;
    return new SandportFault(
      'language_unavailable',
      `The sandbox cannot run ${name}: it has no ${missing}. Use the template code-interpreter, built anew if it is older, or install ${missing}.`,
      { language: name, missing },
    );
  }

  #errorOf({ exit, reason }: KernelDeath): CodeError | undefined {
    const { language } = this.#options;
    if (language.mayExit && exit !== undefined && exit.exitCode < 128) return undefined;
    const why = this.#whyKilled ?? `The kernel ended while the code ran: ${reason}.`;
    return { name: 'KernelEnded', value: `${why} The variables are lost.`, traceback: [] };
  }
}

const sentenceOf = ({ name, value }: CodeError): string =>
  value === '' ? name : `${name}: ${value}`;

const isDeath = (value: unknown): value is KernelDeath =>
  typeof value === 'object' && value !== null && 'reason' in value && 'exit' in value;

const isMissingProgram = (error: unknown, { args }: Language): boolean =>
  error instanceof SandportFault &&
  error.code === 'command_not_started' &&
  error.details['errno'] === 'ENOENT' &&
  error.details['path'] === args('')[0];
