import { join } from 'node:path';
import { removeTree, runProgram } from '@sandport/linux';

/**
 * Deletes a tree of a sandbox that has ended: no process can change it any more, and nobody but
 * root can reach it. A process of its own does the work, because the disk can keep whoever frees
 * large files waiting for seconds. What `rm` cannot remove (protected files) is left to the rooted
 * file access. Idempotent.
 */
export async function deleteDeadTree(parent: string, name: string): Promise<void> {
  const args = ['-rf', '--one-file-system', '--', join(parent, name)];
  await runProgram('rm', args, { files: 'nothing' }).catch(() => undefined);
  await removeTree(parent, name);
}
