import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

export interface UserNamespaceOptions {
  /** Host id of guest id 0. */
  readonly base: number;
  /** How many ids are mapped. */
  readonly count: number;
}

/** How long util-linux's unshare may take. */
const START_TIMEOUT_MS = 10_000;

/**
 * A descriptor of a new user namespace in which ids 0..count-1 are the host's base..base+count-1.
 * No process is left in it. The caller closes it. Takes some milliseconds: keep it and use it again.
 */
export async function createUserNamespace(options: UserNamespaceOptions): Promise<number> {
  const child = spawn('unshare', ['--user', 'sh', '-c', 'echo ready; exec cat'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: START_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString()}`.slice(0, 1000);
  });
  const ended = once(child, 'close');
  // Its error is the one below; this keeps it from being unhandled meanwhile.
  ended.catch(() => {});
  try {
    const ready = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      ended.then(() => false),
    ]);
    if (!ready || child.pid === undefined) {
      throw new Error(
        `a user namespace could not be made: ${complaint.trim() || 'unshare failed'}`,
      );
    }
    const map = `0 ${options.base} ${options.count}\n`;
    await writeFile(`/proc/${child.pid}/gid_map`, map);
    await writeFile(`/proc/${child.pid}/uid_map`, map);
    const link = `/proc/${child.pid}/ns/user`;
    if (readlinkSync(link) === readlinkSync('/proc/self/ns/user')) {
      throw new Error('a user namespace could not be made: unshare stayed in ours');
    }
    return openSync(link, 'r');
  } finally {
    child.kill('SIGKILL');
    await ended.catch(() => {});
  }
}
