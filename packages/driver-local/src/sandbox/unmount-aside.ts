import { spawn } from 'node:child_process';
import { unmount } from '@sandport/linux';

/**
 * Takes a mount away in a process of its own: the kernel first writes everything that is dirty on
 * the disk below, which can take seconds, and whoever calls it waits so long. No error when nothing
 * is mounted there. The path is one of the host's own.
 */
export async function unmountAside(path: string): Promise<void> {
  const done = await new Promise<boolean>((resolve) => {
    const child = spawn('umount', ['--internal-only', '--no-mtab', '--lazy', '--', path], {
      stdio: 'ignore',
    });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
  if (!done) unmount(path, { detach: true });
}
