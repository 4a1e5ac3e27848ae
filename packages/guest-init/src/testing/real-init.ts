import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { initBinaryPath } from '../init-binary.ts';
import { InitChannel } from '../init-channel.ts';
import type { InitCommandExit } from '../command-end.ts';
import type { InitCommandSpec } from '../start-payload.ts';

export interface Finished extends InitCommandExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests: the init as an ordinary process of this machine, and a channel to it. */
export class RealInit implements AsyncDisposable {
  readonly directory: string;
  readonly token: string;
  readonly process: ChildProcess;
  readonly logged: string[] = [];
  #channel: InitChannel | undefined;

  private constructor(directory: string, token: string, process: ChildProcess) {
    this.directory = directory;
    this.token = token;
    this.process = process;
  }

  /**
   * The init runs and tries to connect; nobody listens yet.
   * @param binary another build of it
   */
  static async spawn(binary?: string): Promise<RealInit> {
    const build = fileURLToPath(new URL('../../build.mjs', import.meta.url));
    const built = spawnSync(process.execPath, [build], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    const directory = await mkdtemp(path.join(tmpdir(), 'init-'));
    const token = randomBytes(32).toString('hex');
    const tokenFile = path.join(directory, 'token');
    const socketPath = path.join(directory, 'init.sock');
    await writeFile(tokenFile, `${token}\n`);
    const args = ['--socket', socketPath, '--token-file', tokenFile];
    const child = spawn(binary ?? initBinaryPath(), args, {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return new RealInit(directory, token, child);
  }

  static async connected(binary?: string): Promise<RealInit> {
    const init = await RealInit.spawn(binary);
    await init.connect();
    return init;
  }

  get socketPath(): string {
    return path.join(this.directory, 'init.sock');
  }

  get channel(): InitChannel {
    if (this.#channel === undefined) throw new Error('not connected');
    return this.#channel;
  }

  async connect(): Promise<void> {
    const { socketPath, token } = this;
    const onLog = (text: string) => this.logged.push(text);
    this.#channel = await InitChannel.listen({ socketPath, token, onLog });
    await this.#channel.whenConnected(5_000);
  }

  async disconnect(): Promise<void> {
    await this.#channel?.[Symbol.asyncDispose]();
    this.#channel = undefined;
  }

  async run(spec: Partial<InitCommandSpec>, stdin?: Buffer): Promise<Finished> {
    const withStdin = stdin !== undefined;
    const defaults = { args: ['true'], cwd: '/', env: {}, user: 'root', stdin: withStdin };
    const command = await this.channel.start({ ...defaults, ...spec });
    command.stdin?.end(stdin);
    const [stdout, stderr, exit] = await Promise.all([
      buffer(command.stdout),
      buffer(command.stderr),
      command.exit,
    ]);
    return { ...exit, stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1') };
  }

  shell(script: string, spec: Partial<InitCommandSpec> = {}): Promise<Finished> {
    return this.run({ args: ['/bin/sh', '-c', script], ...spec });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
    this.process.kill('SIGKILL');
    await rm(this.directory, { recursive: true });
  }
}
