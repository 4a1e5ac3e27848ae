import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the static init binary, which is mounted into every sandbox.
 * @throws Error when it has not been built
 */
export function initBinaryPath(): string {
  const path = fileURLToPath(new URL('../dist-native/sandport-init', import.meta.url));
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new Error(`the guest init is not built (${path} is missing): run \`npm run setup\``);
  }
  return path;
}
