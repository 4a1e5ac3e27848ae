import { randomUUID } from 'node:crypto';
import {
  type CodeContextObject,
  type CodeEnd,
  type CodeLanguage,
  codeLanguages,
  type CodeRun,
  type CreateCodeContext,
  maxCodeContexts,
  type RunCode,
  SandportFault,
} from '@sandport/protocol';
import type { Watcher } from '../commands/kept/watcher.ts';
import type { HeldShare } from '../memory/held-bytes.ts';
import type { Principal } from '../principal.ts';
import type { Entry } from '../sandboxes/entry.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import type { WakeOptions } from '../sandboxes/states.ts';
import { CodeContext } from './code-context.ts';
import type { ContextDetails } from './context-details.ts';
import type { CodeOutput, Kernel } from './kernel.ts';
import { KernelStarter } from './kernel-starter.ts';
import { languageOf } from './languages.ts';
import { RunResult } from './run-result.ts';
import { StartTurns } from './start-turns.ts';

const defaultTimeoutMs = 30_000;

export interface CodeOptions extends WakeOptions {
  /** Interrupts the code. */
  readonly signal?: AbortSignal;
}

export interface RunCodeOptions extends CodeOptions {
  /** Counts what the run holds in memory. @default not counted */
  readonly held?: Pick<HeldShare, 'take'> | undefined;
}

/** Which context runs the code: one by its id, or the default one of a language. */
export type CodePlace = { readonly context: string } | { readonly language: string };

type OnOutput = (output: CodeOutput) => void | Promise<void>;

/** Code in sandboxes, whose variables live from one run to the next. */
export class Code {
  readonly #sandboxes: Sandboxes;
  readonly #kernels: KernelStarter;
  readonly #contexts = new WeakMap<Entry, Map<string, CodeContext>>();
  readonly #startTurns = new WeakMap<Entry, StartTurns>();

  constructor(sandboxes: Sandboxes, watcher: Watcher) {
    this.#sandboxes = sandboxes;
    this.#kernels = new KernelStarter(sandboxes, watcher);
  }

  /** @throws SandportFault `sandbox_not_found` */
  languages(principal: Principal, sandbox: string): readonly CodeLanguage[] {
    this.#sandboxes.find(principal, sandbox);
    return codeLanguages;
  }

  /**
   * Resolves when code can run in it; wakes a hibernated sandbox.
   * @throws SandportFault `limit_reached`, `language_unavailable`, `kernel_not_started`
   */
  async create(
    principal: Principal,
    sandbox: string,
    request: CreateCodeContext,
    options: WakeOptions = {},
  ): Promise<CodeContextObject> {
    const entry = this.#sandboxes.find(principal, sandbox);
    using active = entry.activity.begin();
    void active;
    const id = randomUUID();
    const context = this.#add(entry, id, request, { isDefault: false });
    try {
      await this.#sandboxes.states.running(entry, options);
      await context.begin();
      return context.object;
    } catch (error) {
      this.#of(entry).delete(id);
      throw error;
    }
  }

  list(principal: Principal, sandbox: string): CodeContextObject[] {
    const entry = this.#sandboxes.find(principal, sandbox);
    return [...this.#of(entry).values()].map(({ object }) => object);
  }

  /** @throws SandportFault `context_not_found` */
  get(principal: Principal, sandbox: string, id: string): CodeContextObject {
    return this.#find(this.#sandboxes.find(principal, sandbox), id).object;
  }

  /**
   * Runs code and keeps what it gives, up to the limit.
   * @throws SandportFault as {@link stream}; `limit_reached` also when requests hold too much, and
   * then the code is interrupted
   */
  async run(
    principal: Principal,
    sandbox: string,
    place: CodePlace,
    request: RunCode,
    options: RunCodeOptions = {},
  ): Promise<CodeRun> {
    const result = new RunResult();
    let tooMuch: unknown;
    const onOutput: OnOutput = (output) => {
      try {
        const bytes = result.add(output);
        options.held?.take(bytes);
      } catch (error) {
        tooMuch = error;
        return Promise.reject(error);
      }
    };
    const end = await this.stream(principal, sandbox, place, request, onOutput, options);
    if (tooMuch !== undefined) throw tooMuch;
    return result.with(end);
  }

  /**
   * Runs code and hands out what it gives. A promise from `onOutput` holds that stream until it is
   * settled; one that rejects, and `signal`, interrupt the code.
   * @throws SandportFault `context_not_found`, `language_unavailable`, `kernel_not_started`,
   * `limit_reached`, `invalid_state`
   */
  async stream(
    principal: Principal,
    sandbox: string,
    place: CodePlace,
    { code, timeout_ms: timeoutMs = defaultTimeoutMs }: RunCode,
    onOutput: OnOutput,
    options: CodeOptions = {},
  ): Promise<CodeEnd> {
    const { signal } = options;
    return await this.#use(principal, sandbox, place, options, (context) =>
      context.run(code, onOutput, { timeoutMs, signal }),
    );
  }

  /**
   * Resolves when code can be run there, as far as can be said before; wakes a hibernated sandbox.
   * @throws SandportFault as {@link stream}
   */
  async ready(
    principal: Principal,
    sandbox: string,
    place: CodePlace,
    options: WakeOptions = {},
  ): Promise<void> {
    await this.#use(principal, sandbox, place, options, async (context) => {
      if (!context.isAlive) await context.begin();
    });
  }

  /** The code that runs there ends with an error. No error when none runs. */
  interrupt(principal: Principal, sandbox: string, id: string): void {
    this.#find(this.#sandboxes.find(principal, sandbox), id).interrupt();
  }

  /** Ends the code that runs there, and forgets all variables. */
  async restart(
    principal: Principal,
    sandbox: string,
    id: string,
    options: WakeOptions = {},
  ): Promise<CodeContextObject> {
    return await this.#use(principal, sandbox, { context: id }, options, async (context) => {
      await context.restart();
      return context.object;
    });
  }

  /** Ends the code that runs there. */
  async close(principal: Principal, sandbox: string, id: string): Promise<void> {
    const entry = this.#sandboxes.find(principal, sandbox);
    const context = this.#find(entry, id);
    if (context.isAlive) await this.#sandboxes.states.running(entry);
    this.#of(entry).delete(id);
    await context.close();
  }

  /** Wakes the sandbox, and keeps it from sleeping meanwhile. */
  async #use<T>(
    principal: Principal,
    sandbox: string,
    place: CodePlace,
    options: WakeOptions,
    work: (context: CodeContext) => Promise<T>,
  ): Promise<T> {
    const entry = this.#sandboxes.find(principal, sandbox);
    const context = this.#at(entry, place);
    using active = entry.activity.begin();
    void active;
    try {
      await this.#sandboxes.states.running(entry, options);
      return await work(context);
    } finally {
      this.#dropEmpty(entry, context);
    }
  }

  #of(entry: Entry): Map<string, CodeContext> {
    const known = this.#contexts.get(entry);
    if (known !== undefined) return known;
    const contexts = new Map<string, CodeContext>();
    this.#contexts.set(entry, contexts);
    for (const [id, { details, kernel }] of this.#kernels.adopt(entry))
      contexts.set(id, this.#context(entry, details, kernel));
    return contexts;
  }

  #find(entry: Entry, id: string): CodeContext {
    const context = this.#of(entry).get(id);
    if (context !== undefined) return context;
    throw new SandportFault(
      'context_not_found',
      `The sandbox has no code context "${id.slice(0, 100)}".`,
      { sandbox: entry.row.id, context: id.slice(0, 100) },
    );
  }

  #at(entry: Entry, place: CodePlace): CodeContext {
    if ('context' in place) return this.#find(entry, place.context);
    const { name } = languageOf(place.language);
    const id = `default-${name}`;
    return this.#of(entry).get(id) ?? this.#add(entry, id, { language: name }, { isDefault: true });
  }

  #add(
    entry: Entry,
    id: string,
    { language = 'python', cwd, env, user }: CreateCodeContext,
    { isDefault }: { isDefault: boolean },
  ): CodeContext {
    const contexts = this.#of(entry);
    if (contexts.size >= maxCodeContexts)
      throw new SandportFault(
        'limit_reached',
        `The sandbox has ${maxCodeContexts} code contexts already; close one.`,
        { limit: maxCodeContexts, resource: 'code contexts' },
      );
    const details: ContextDetails = {
      ...{ id, language: languageOf(language).name, mark: '', is_default: isDefault },
      created_at: new Date().toISOString(),
      ...{ cwd, env, user },
    };
    const context = this.#context(entry, details);
    contexts.set(id, context);
    return context;
  }

  /** A default one whose kernel could not be started takes no place. */
  #dropEmpty(entry: Entry, context: CodeContext): void {
    if (context.isEmpty) this.#of(entry).delete(context.object.id);
  }

  #startTurnsOf(entry: Entry): StartTurns {
    const turns = this.#startTurns.get(entry) ?? new StartTurns();
    this.#startTurns.set(entry, turns);
    return turns;
  }

  #context(entry: Entry, details: ContextDetails, kernel?: Kernel): CodeContext {
    return new CodeContext({
      sandboxId: entry.row.id,
      details,
      language: languageOf(details.language),
      start: () => this.#kernels.start(entry, details),
      startTurns: this.#startTurnsOf(entry),
      kernel,
    });
  }
}
