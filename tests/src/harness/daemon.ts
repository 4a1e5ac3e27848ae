import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Isolation } from '@sandport/protocol';
import { z } from 'zod';
import { Api } from './api.ts';
import { deleteKubernetesObjects } from './kube.ts';
import { repoDir, sandportBin, templatesDir } from './paths.ts';
import {
  identityOf,
  isAlive,
  type ProcessIdentity,
  signal,
  whenEnded,
} from './process-identity.ts';
import { keepForCleanUp, testRun } from './run-marker.ts';
import { waitFor } from './wait-for.ts';

export interface StartDaemonOptions {
  /** @default 'auto' */
  readonly isolation?: 'auto' | Isolation;
  /** One of an earlier daemon; then it is not removed at the end. @default a new one */
  readonly dataDir?: string;
  /** Listen for clients of Kubernetes, too. @default false, which makes it start sooner */
  readonly kubernetes?: boolean;
  /** More options for `sandport serve`. @default [] */
  readonly args?: readonly string[];
  /** Added to the environment. @default {} */
  readonly env?: Readonly<Record<string, string>>;
}

const startTimeoutMs = 30_000;
/** What a daemon may take to end after SIGTERM, in milliseconds. */
const stopTimeoutMs = 12_000;

/** How many were made in this process, to tell their logs apart. */
let instances = 0;

const clientFileSchema = z.object({ url: z.url(), api_key: z.string() });

/** A new data directory that a crash of the tests does not leave behind. */
export const newDataDir = (): string => mkdtempSync(join(testRun().tempDir, 'data-'));

/** The real daemon, as `sandport serve` starts it. Disposing kills its sandboxes and removes all. */
export class TestDaemon implements AsyncDisposable {
  readonly dataDir: string;
  /** Standard error: one JSON object a line. */
  readonly logFile: string;
  /** Home of programs that use it, for their settings and caches; the first user makes it. */
  readonly homeDir: string;
  readonly #outFile: string;
  readonly #options: StartDaemonOptions;
  readonly #ownsDataDir: boolean;
  #process: ProcessIdentity | undefined;
  #api: Api | undefined;

  constructor(options: StartDaemonOptions) {
    this.#options = options;
    this.#ownsDataDir = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? newDataDir();
    const name = `${this.dataDir}.${++instances}`;
    this.logFile = `${name}.log`;
    this.#outFile = `${name}.out`;
    this.homeDir = `${name}.home`;
  }

  get pid(): number {
    return this.#running.pid;
  }

  get url(): string {
    return this.api.url;
  }

  get apiKey(): string {
    return this.api.apiKey;
  }

  /** Requests with the local administrator key. */
  get api(): Api {
    if (this.#api === undefined) throw new Error('the daemon was not started');
    return this.#api;
  }

  /** What `isolation: auto` found to work on this machine. */
  get isolations(): Isolation[] {
    const line = /isolation: ([^;)]*)/.exec(readFileSync(this.#outFile, 'utf8'))?.[1] ?? '';
    return (['gvisor', 'container'] as const).filter((each) => line.includes(each));
  }

  get alive(): boolean {
    return this.#process !== undefined && isAlive(this.#process);
  }

  /** Starts it and waits until it serves. */
  async start(): Promise<this> {
    const child = this.#spawn();
    const process = identityOf(child.pid ?? 0);
    if (process === undefined) throw new Error('the daemon could not be spawned');
    this.#process = process;
    try {
      this.#api = await waitFor(() => this.#ready(process), {
        timeoutMs: startTimeoutMs,
        what: 'the daemon',
      });
    } catch (error) {
      signal(process, 'SIGKILL');
      const log = (await readFile(this.logFile, 'utf8')).split('\n').slice(-15).join('\n');
      // One that never served is not disposed of; its last words are in the message.
      if (this.#api === undefined) await this.#removeFiles();
      throw new Error(`the daemon did not start:\n${log}`, { cause: error });
    }
    return this;
  }

  /** SIGTERM; sandboxes keep running. Resolves with the milliseconds it took. */
  async stop(): Promise<number> {
    const running = this.#running;
    signal(running, 'SIGTERM');
    return whenEnded(running, stopTimeoutMs);
  }

  /** SIGKILL: the daemon cannot do anything about it. */
  async kill9(): Promise<void> {
    const running = this.#running;
    signal(running, 'SIGKILL');
    await whenEnded(running, 5_000);
  }

  /** Starts a daemon on the same data directory, after {@link stop} when it still runs. */
  async restart(): Promise<this> {
    if (this.alive) await this.stop();
    return this.start();
  }

  /** Lines of the log that are JSON objects. */
  async log(): Promise<Readonly<Record<string, unknown>>[]> {
    const lines = (await readFile(this.logFile, 'utf8')).split('\n');
    const object = z.record(z.string(), z.unknown());
    return lines
      .slice(0, -1) // The last one may be half-written.
      .filter((line) => line.startsWith('{'))
      .map((line) => object.parse(JSON.parse(line)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#api !== undefined) {
        if (!this.alive) await this.start();
        await this.killSandboxes();
      }
      if (this.alive) await this.stop();
    } catch (error) {
      keepForCleanUp();
      throw error;
    }
    const warning = await this.#warning();
    await this.#removeFiles();
    if (warning !== undefined) throw new Error(`the daemon's Node warned: ${warning}`);
  }

  /** Those too that wait in pools, and what would make others. */
  async killSandboxes(): Promise<void> {
    const { api } = this;
    if (this.#options.kubernetes === true) await deleteKubernetesObjects(this);
    const pools = await api.pools();
    for (const { template, isolation } of pools)
      await api.send('DELETE', `/v1/pools/${template}?isolation=${isolation}`);
    const sandboxes = await api.list('?limit=1000');
    await Promise.all(sandboxes.map(({ id }) => api.kill(id)));
    const rest = join(this.dataDir, 'sandboxes');
    if (pools.length > 0 || this.#options.kubernetes === true)
      await waitFor(() => readdirSync(rest).length === 0, {
        timeoutMs: 30_000,
        what: 'the end of all sandboxes in pools',
      });
  }

  get #running(): ProcessIdentity {
    if (this.#process === undefined) throw new Error('the daemon was not started');
    return this.#process;
  }

  /** What Node has found wrong with the daemon: too many listeners, a timer that is no number, … */
  async #warning(): Promise<string | undefined> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '');
    return /^\(node:\d+\) (?!ExperimentalWarning).*$/m.exec(log)?.[0];
  }

  async #removeFiles(): Promise<void> {
    await rm(this.logFile, { force: true });
    await rm(this.#outFile, { force: true });
    await rm(this.homeDir, { recursive: true, force: true });
    if (this.#ownsDataDir) await rm(this.dataDir, { recursive: true, force: true });
  }

  #spawn(): ReturnType<typeof spawn> {
    const { isolation = 'auto', kubernetes = false, args = [], env } = this.#options;
    // Without what an earlier start wrote: its address may by now be somebody else's.
    const out = openSync(this.#outFile, 'w');
    const log = openSync(this.logFile, 'a');
    const serve = ['serve', '--listen', '127.0.0.1:0', '--data-dir', this.dataDir];
    try {
      return spawn(process.execPath, [sandportBin, ...serve, '--isolation', isolation, ...args], {
        cwd: repoDir,
        stdio: ['ignore', out, log],
        env: {
          ...process.env,
          ...testRun().env,
          SANDPORT_TEMPLATES_DIR: templatesDir,
          ...(kubernetes ? {} : { SANDPORT_KUBERNETES_LISTEN: 'off' }),
          ...env,
        },
      });
    } finally {
      closeSync(out);
      closeSync(log);
    }
  }

  /** Its API, once it answers at the address that this start wrote. */
  async #ready(running: ProcessIdentity): Promise<Api | undefined> {
    if (!isAlive(running)) throw new Error('it ended');
    try {
      const text = await readFile(join(this.dataDir, 'client.json'), 'utf8');
      const { url, api_key } = clientFileSchema.parse(JSON.parse(text));
      // The file may be of an earlier start, or of another daemon.
      if (!readFileSync(this.#outFile, 'utf8').includes(`${url} `)) return undefined;
      const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
      return answer.ok ? new Api(url, api_key) : undefined;
    } catch {
      // Not written yet, or of the start before.
      return undefined;
    }
  }
}

/** Starts the daemon on a free port of the loopback. */
export const startDaemon = (options: StartDaemonOptions = {}): Promise<TestDaemon> =>
  new TestDaemon(options).start();

let known: Promise<Isolation[]> | undefined;

/** Which isolations work on this machine, as a daemon finds out. */
export function isolationsHere(): Promise<Isolation[]> {
  known ??= (async () => {
    await using daemon = await startDaemon();
    return daemon.isolations;
  })();
  return known;
}
