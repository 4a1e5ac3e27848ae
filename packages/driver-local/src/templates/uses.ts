import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const usersDir = (versionDir: string) => join(versionDir, 'users');

/**
 * Notes that a sandbox stands on a version, so that no daemon deletes it. The mark holds the
 * sandbox's directory: a mark whose directory is gone counts for nothing.
 */
export function markUse(versionDir: string, sandboxId: string, sandboxDir: string): void {
  mkdirSync(usersDir(versionDir), { recursive: true });
  writeFileSync(join(usersDir(versionDir), sandboxId), sandboxDir);
}

/** Idempotent. */
export function unmarkUse(versionDir: string, sandboxId: string): void {
  rmSync(join(usersDir(versionDir), sandboxId), { force: true });
}

/** True while a sandbox of any daemon stands on the version. */
export function isUsed(versionDir: string): boolean {
  try {
    return readdirSync(usersDir(versionDir)).some((name) =>
      existsSync(readFileSync(join(usersDir(versionDir), name), 'utf8')),
    );
  } catch {
    return false;
  }
}
