import { runProgram, unmount } from '@sandport/linux';

/**
 * Takes a mount away in a process of its own: the kernel first writes everything that is dirty on
 * the disk below, which can take seconds, and whoever calls it waits so long. No error when nothing
 * is mounted there. The path is one of the host's own.
 */
export async function unmountAside(path: string): Promise<void> {
  const args = ['--internal-only', '--no-mtab', '--lazy', '--', path];
  try {
    await runProgram('umount', args, { files: 'nothing' });
  } catch {
    unmount(path, { detach: true });
  }
}
