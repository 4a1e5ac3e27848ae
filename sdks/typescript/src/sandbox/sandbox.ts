import {
  type CodeLanguage,
  forkResultSchema,
  forkTreeResultSchema,
  type SandboxObject,
  sandboxSchema,
} from '@sandport/protocol';
import { type Client, clientFor, type ClientSource } from '../client.ts';
import { Code } from '../code/code.ts';
import type { CodeContext, CodeContextOptions } from '../code/code-context.ts';
import type { CodeExecution } from '../code/code-execution.ts';
import type { RunCodeOptions } from '../code/run-code.ts';
import { Commands } from '../commands/commands.ts';
import type { CommandLine } from '../commands/command-options.ts';
import type { CommandResult } from '../commands/command-result.ts';
import type { OutputCallbacks } from '../commands/output-callbacks.ts';
import { Pty } from '../commands/terminal/pty.ts';
import { NotFoundError } from '../errors/api-errors.ts';
import { Filesystem } from '../filesystem/filesystem.ts';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { PreviewUrlOptions } from '../ports/port-options.ts';
import { Ports } from '../ports/ports.ts';
import { createBody, type SandboxCreateOptions } from './create-options.ts';
import type { Candidate, ExploreOptions, ExploreResult } from './explore/candidate.ts';
import { explore } from './explore/explore.ts';
import { type ForkOptions, ForkTree, type ForkTreeOptions } from './fork-options.ts';
import { listSandboxes, type SandboxFilter } from './list-sandboxes.ts';
import { sandboxPath } from './sandbox-api.ts';
import { SandboxState } from './sandbox-state.ts';

export interface ExecOptions {
  /** Seconds after which the command is ended. @default never */
  timeoutSeconds?: number | undefined;
  /** Throw `CommandError` when the command fails. @default false */
  check?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface ExecStreamOptions extends Omit<ExecOptions, 'check'>, OutputCallbacks {}

/**
 * One isolated Linux environment. `await using` kills it at the end of the block.
 *
 * @example
 * const sandbox = await Sandbox.create({ template: 'base' });
 * await sandbox.filesystem.write('/workspace/in.txt', 'hello\n');
 * const { stdout } = await sandbox.commands.run('wc -c < /workspace/in.txt');
 * await sandbox.kill();
 */
export class Sandbox extends SandboxState implements AsyncDisposable {
  readonly filesystem: Filesystem;
  readonly commands: Commands;
  readonly code: Code;
  readonly pty: Pty;
  readonly ports: Ports;
  readonly #client: Client;

  private constructor(client: Client, info: SandboxObject) {
    super(client.transport, info);
    this.#client = client;
    this.filesystem = new Filesystem(client.transport, info.id);
    this.commands = new Commands(client.transport, info.id);
    this.code = new Code(client.transport, info.id);
    this.pty = new Pty(client.transport, info.id);
    this.ports = new Ports(client.transport, info.id);
  }

  /**
   * Makes a sandbox and waits until it takes commands.
   * @throws BadRequestError for an unknown template or option; ConflictError when the name is taken
   */
  static async create(options: SandboxCreateOptions = {}, config?: ClientSource): Promise<Sandbox> {
    const client = clientFor(config);
    const info = await client.transport.json(
      {
        method: 'POST',
        path: '/v1/sandboxes',
        json: createBody(options),
        signal: options.signal,
        idleTimeoutMs: client.createTimeoutMs,
      },
      sandboxSchema,
    );
    return new Sandbox(client, info);
  }

  /** Finds a sandbox by its id or its name. @throws NotFoundError */
  static async get(
    idOrName: string,
    config?: ClientSource,
    options: SignalOptions = {},
  ): Promise<Sandbox> {
    const client = clientFor(config);
    return new Sandbox(client, await fetchInfo(client, idOrName, options));
  }

  /** Same as `get`. */
  static connect(idOrName: string, config?: ClientSource): Promise<Sandbox> {
    return Sandbox.get(idOrName, config);
  }

  /** The sandbox that the API described so; nothing is asked. */
  static fromInfo(info: SandboxObject, config?: ClientSource): Sandbox {
    return new Sandbox(clientFor(config), info);
  }

  /** All sandboxes that fit the filter, newest first. */
  static async list(filter: SandboxFilter = {}, config?: ClientSource): Promise<Sandbox[]> {
    const client = clientFor(config);
    const sandboxes: Sandbox[] = [];
    for await (const info of listSandboxes(client.transport, filter)) {
      sandboxes.push(new Sandbox(client, info));
    }
    return sandboxes;
  }

  /** Same object as `filesystem`. */
  get files(): Filesystem {
    return this.filesystem;
  }

  /** Runs a command to its end. */
  exec(command: CommandLine, options: ExecOptions = {}): Promise<CommandResult> {
    return this.commands.run(command, { ...runOptions(options), check: options.check });
  }

  /** Runs a command, giving its output to the callbacks as it comes. @returns the exit code */
  async execStream(command: CommandLine, options: ExecStreamOptions = {}): Promise<number> {
    const { onStdout, onStderr } = options;
    const callbacks = { stdout: onStdout, stderr: onStderr };
    for await (const event of this.commands.stream(command, runOptions(options))) {
      if (event.type === 'exit') return event.exitCode;
      await callbacks[event.type]?.(event.text);
    }
    throw new Error('The stream of a command ends with its exit.');
  }

  /**
   * Runs code whose variables live on to the next run of the same language.
   *
   * @example
   * await sandbox.runCode('x = 20');
   * const { results } = await sandbox.runCode('x + 1');
   * console.log(results[0]?.text); // 21
   */
  runCode(code: string, language?: CodeLanguage, options?: RunCodeOptions): Promise<CodeExecution> {
    return this.code.run(code, language, options);
  }

  /** A place of its own for variables; see `runCode`. */
  createCodeContext(language?: CodeLanguage, options?: CodeContextOptions): Promise<CodeContext> {
    return this.code.createContext(language, options);
  }

  /**
   * An address for browsers of a web server in the sandbox: a signed link, or with `public` one for
   * everybody.
   */
  async previewUrl(
    port: number,
    { public: isPublic = false, ...options }: PreviewUrlOptions = {},
  ): Promise<string> {
    if (!isPublic) return (await this.ports.sign(port, options)).previewUrl;
    const { signal } = options;
    return (await this.ports.expose(port, { visibility: 'public', signal })).previewUrl;
  }

  /** The address of a web server in the sandbox for those who send the key with each request. */
  portUrl(port: number): string {
    return `${this.#client.url.replace(/\/$/, '')}${sandboxPath(this.id)}/proxy/${port}/`;
  }

  /**
   * A running copy of this sandbox, with its disk, and with its processes where the isolation can.
   * Volumes are shared. This sandbox goes on.
   */
  async fork({ signal, ...json }: ForkOptions = {}): Promise<Sandbox> {
    const { sandboxes } = await this.api.send('POST', '/fork', forkResultSchema, { signal, json });
    const [child] = sandboxes;
    if (child === undefined) throw new Error('The answer to a fork holds a child.');
    return new Sandbox(this.#client, child);
  }

  /** Several copies of one moment of this sandbox, to be tried against each other. */
  async forkTree({ signal, ...json }: ForkTreeOptions = {}): Promise<ForkTree> {
    const how = { signal, json };
    const result = await this.api.send('POST', '/fork-tree', forkTreeResultSchema, how);
    return new ForkTree(
      result,
      result.children.map((child) => new Sandbox(this.#client, child)),
    );
  }

  /**
   * Tries each candidate, a command or a function, in a copy of its own of this sandbox, and keeps
   * the best one; the others are deleted, whatever happens.
   * @throws ExploreError when none succeeds
   *
   * @example
   * const { winner } = await sandbox.explore(
   *   ['python solve.py --greedy', 'python solve.py --dynamic'],
   *   { scoreFn: (box, outcome) => -outcome.durationMs },
   * );
   */
  explore<Value = unknown>(
    candidates: readonly (string | Candidate<Value>)[],
    options: ExploreOptions<Value> = {},
  ): Promise<ExploreResult<Value>> {
    return explore(this, candidates, options);
  }

  /** Ends the sandbox and deletes what is in it, volumes excepted. No error when it is gone. */
  async kill(options: SignalOptions = {}): Promise<void> {
    try {
      await this.#client.transport.drain({
        method: 'DELETE',
        path: sandboxPath(this.id),
        signal: options.signal,
      });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
    this.keep({ ...this.info, status: 'deleted' });
  }

  /** Same as `kill`. */
  terminate(options: SignalOptions = {}): Promise<void> {
    return this.kill(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function fetchInfo(client: Client, idOrName: string, { signal }: SignalOptions) {
  return client.transport.json(
    { method: 'GET', path: sandboxPath(idOrName), signal },
    sandboxSchema,
  );
}

function runOptions({ timeoutSeconds, signal }: ExecOptions) {
  return {
    timeoutMs: timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000,
    signal,
  };
}
