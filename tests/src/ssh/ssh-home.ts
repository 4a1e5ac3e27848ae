import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { json, testRun, type UsedDaemon } from '../harness/index.ts';

const placeSchema = z.object({ host: z.string(), port: z.number(), host_key: z.string() });

export interface Ended {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly code: number | null;
}

export interface RunOptions {
  readonly stdin?: Uint8Array | string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends SIGKILL to it then. */
  readonly signal?: AbortSignal;
}

/** Whether a program is here; tests of one that is not are skipped with this reason. */
export function missingProgram(name: string): string | undefined {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`]);
    return undefined;
  } catch {
    return `${name} is not installed here; \`npm test\` installs it on Debian and Ubuntu`;
  }
}

/** What a user of OpenSSH has: a directory with a key and a configuration for the daemon. */
export class SshHome implements AsyncDisposable {
  readonly directory = mkdtempSync(join(testRun().tempDir, 'ssh-'));
  readonly host: string;
  readonly port: number;
  readonly config = join(this.directory, 'config');
  readonly key = join(this.directory, 'id');
  readonly #hostKey: string;

  private constructor({ host, port, host_key }: z.infer<typeof placeSchema>) {
    this.host = host;
    this.port = port;
    this.#hostKey = host_key;
    const keygen = ['-q', '-t', 'ed25519', '-N', '', '-C', 'a test', '-f', this.key];
    execFileSync('ssh-keygen', keygen);
    writeFileSync(this.path('known_hosts'), `sandport ${this.#hostKey}\n`);
    this.configure(this.config, []);
  }

  /** For the daemon as it listens now. */
  static async open(used: UsedDaemon): Promise<SshHome> {
    return new SshHome(placeSchema.parse(json(await used.api.send('GET', '/v1/ssh'), 200)));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  get publicKey(): string {
    return readFileSync(`${this.key}.pub`, 'utf8');
  }

  /** Writes a configuration in which the host `sandport` is the daemon. */
  configure(file: string, more: readonly string[]): void {
    const lines = [
      'Host sandport',
      ...more,
      `HostName ${this.host}`,
      `Port ${this.port}`,
      'HostKeyAlias sandport',
      `UserKnownHostsFile ${this.path('known_hosts')}`,
      'GlobalKnownHostsFile /dev/null',
      'StrictHostKeyChecking yes',
      'UpdateHostKeys no',
      `IdentityFile ${this.key}`,
      'IdentitiesOnly yes',
      'LogLevel ERROR',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
  }

  /** Has the daemon take the key. @returns its id */
  async register(used: UsedDaemon, apiKey?: string): Promise<string> {
    const headers = { Authorization: `Bearer ${apiKey ?? used.api.apiKey}` };
    const body = { public_key: this.publicKey };
    const answer = await used.api.sendJson('POST', '/v1/ssh-keys', body, { headers });
    return z.object({ id: z.string() }).parse(json(answer, 201)).id;
  }

  ssh(box: string, words: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return run('ssh', ['-F', this.config, `${box}@sandport`, ...words], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  { stdin = '', env = {}, signal }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {});
  signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
  child.stdin.end(stdin);
  await once(child, 'close');
  return {
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString(),
    code: child.exitCode,
  };
}
