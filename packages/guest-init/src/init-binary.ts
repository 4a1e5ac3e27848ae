import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the static init binary, which is mounted into every sandbox.
 * @throws Error when it has not been built
 */
export const initBinaryPath = (): string => builtFile('sandport-init');

/**
 * Absolute path of the library that dynamic programs of gVisor sandboxes are preloaded with: it
 * leaves out a flag of statx that some releases of gVisor refuse and `ls` always passes.
 * @throws Error when it has not been built
 */
export const preloadLibraryPath = (): string => builtFile('gvisor-preload.so');

function builtFile(name: string): string {
  const path = fileURLToPath(new URL(`../dist-native/${name}`, import.meta.url));
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new Error(
      `the guest's programs are not built (${path} is missing): run \`npm run setup\``,
    );
  }
  return path;
}
