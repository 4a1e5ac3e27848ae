import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * Puts the init's binary into a directory of its own, under a name of its content: in the run
 * directory every sandbox can reach it, whatever the permissions of the directories above the
 * original are. Sandboxes that run an older one keep it.
 */
export function installInit(binary: string, directory: string): string {
  const hash = createHash('sha256').update(readFileSync(binary)).digest('hex').slice(0, 16);
  const target = join(directory, `init-${hash}`);
  if (existsSync(target)) return target;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  copyFileSync(binary, `${target}.new`);
  renameSync(`${target}.new`, target);
  return target;
}
