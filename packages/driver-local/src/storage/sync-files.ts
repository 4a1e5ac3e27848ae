import { spawn } from 'node:child_process';

/**
 * Resolves when everything of the file systems of these directories is on the disk. A process of its own waits
 * for it: the disk can take seconds.
 */
export async function syncFiles(...directories: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('sync', ['--file-system', '--', ...directories], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`the disk of ${directories[0]} takes no more bytes`)),
    );
  });
}
