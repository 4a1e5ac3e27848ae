import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { byteString } from '../../ffi/byte-string.ts';
import { O_DIRECTORY, O_RDONLY } from '../../ffi/constants.ts';
import { componentsOf } from '../paths/guest-path.ts';
import type { RootDirectory } from '../paths/root-directory.ts';

/** Resolves when the disk has the file. The caller keeps `fd` open until then. */
export const flushFile: (fd: number) => Promise<void> = promisify(fsync);

/** The same for the names in a directory, and those of the directories above it. */
export async function flushDirectories(root: RootDirectory, directory: number): Promise<void> {
  const components = componentsOf(root.pathOf(directory));
  for (let count = components.length; count >= 0; count--) {
    const path = byteString(`/${components.slice(0, count).join('/')}`);
    const fd = root.open(path, O_RDONLY | O_DIRECTORY);
    try {
      await flushFile(fd);
    } finally {
      closeSync(fd);
    }
  }
}
