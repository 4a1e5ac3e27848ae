import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'sandport';
import type { Subject } from '../subject.ts';

/** A user of OpenSSH with a key that the daemon knows. */
export class SshUser implements Disposable {
  readonly directory: string;
  readonly config: string;

  private constructor(directory: string, config: string) {
    this.directory = directory;
    this.config = config;
  }

  static async open(subject: Subject): Promise<SshUser> {
    const client = new Client(subject);
    const { host, port, host_key } = await client.ssh();
    const directory = mkdtempSync(join(subject.workDir, 'ssh-'));
    const path = (name: string) => join(directory, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path('id')]);
    await client.sshKeys.create(readFileSync(path('id.pub'), 'utf8'), { label: 'benchmark' });
    client.close();
    writeFileSync(path('known_hosts'), `sandport ${host_key}\n`);
    const lines = [
      'Host sandport',
      `HostName ${host}`,
      `Port ${port}`,
      'HostKeyAlias sandport',
      `UserKnownHostsFile ${path('known_hosts')}`,
      'StrictHostKeyChecking yes',
      `IdentityFile ${path('id')}`,
      'IdentitiesOnly yes',
      'LogLevel ERROR',
    ];
    writeFileSync(path('config'), `${lines.join('\n')}\n`);
    return new SshUser(directory, path('config'));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
