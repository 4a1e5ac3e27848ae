import { spawn } from 'node:child_process';

/**
 * Resolves when everything of a directory's file system is on the disk. A process of its own waits
 * for it: the disk can take seconds.
 */
export async function syncFiles(directory: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('sync', ['--file-system', '--', directory], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the disk of ${directory} takes no more bytes`)),
    );
  });
}
