import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { SshUser } from './ssh-user.ts';

const run = promisify(execFile);

/** How long it may take to listen, in milliseconds. */
const startTimeoutMs = 10_000;

/** OpenSSH's own server, for the same user: what a transfer costs where all of it is C. */
export class OwnSshd implements AsyncDisposable {
  /** Options of `ssh` and `scp` that lead to it, as the host `own`. */
  readonly flags: readonly string[];
  readonly #process: ChildProcess;

  private constructor(flags: readonly string[], process: ChildProcess) {
    this.flags = flags;
    this.#process = process;
  }

  /** Undefined where it is not installed, or does not run. */
  static async open(user: SshUser): Promise<OwnSshd | undefined> {
    const path = await sshdPath();
    if (path === undefined) return undefined;
    const port = await freePort();
    const config = user.path('sshd_config');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', user.path('host-key')]);
    const lines = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${user.path('host-key')}`,
      `AuthorizedKeysFile ${user.path('id.pub')}`,
      `PidFile ${user.path('sshd.pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'Subsystem sftp internal-sftp',
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const child = spawn(path, ['-D', '-f', config, '-E', user.path('sshd.log')], {
      stdio: 'ignore',
    });
    child.on('error', () => {});
    const options = {
      HostName: '127.0.0.1',
      Port: port,
      IdentityFile: user.path('id'),
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      // The cipher that the daemon agrees on with OpenSSH.
      Ciphers: 'aes128-gcm@openssh.com',
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const made = new OwnSshd(flags, child);
    if (await made.#answers()) return made;
    await made[Symbol.asyncDispose]();
    return undefined;
  }

  async #answers(): Promise<boolean> {
    const deadline = performance.now() + startTimeoutMs;
    while (performance.now() < deadline && this.#process.exitCode === null) {
      const answer = await run('ssh', [...this.flags, 'own', 'true']).catch(() => undefined);
      if (answer !== undefined) return true;
      await sleep(100);
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || !this.#process.kill()) return;
    await once(this.#process, 'close');
  }
}

/** It has to be started by its whole path, which users other than root do not look in. */
async function sshdPath(): Promise<string | undefined> {
  const command = ['-c', 'PATH="$PATH:/usr/sbin"; command -v sshd'];
  const found = await run('sh', command).catch(() => undefined);
  return found?.stdout.trim();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
