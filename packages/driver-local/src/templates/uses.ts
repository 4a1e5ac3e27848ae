import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const usersDir = (versionDir: string) => join(versionDir, 'users');

/**
 * Notes that a sandbox or a snapshot stands on a version, so that no daemon deletes it. The mark
 * holds the directory of its user: a mark whose directory is gone counts for nothing.
 * @throws ENOENT when the version is gone
 */
export function markUse(versionDir: string, userId: string, userDir: string): void {
  try {
    mkdirSync(usersDir(versionDir));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  writeFileSync(join(usersDir(versionDir), userId), userDir);
}

/** Idempotent. */
export function unmarkUse(versionDir: string, userId: string): void {
  rmSync(join(usersDir(versionDir), userId), { force: true });
}

/** True while a sandbox or a snapshot of any daemon stands on the version. */
export function isUsed(versionDir: string): boolean {
  try {
    return readdirSync(usersDir(versionDir)).some((name) =>
      existsSync(readFileSync(join(usersDir(versionDir), name), 'utf8')),
    );
  } catch {
    return false;
  }
}
