import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deleteDeadTree } from '../sandbox/delete-tree.ts';
import { lockTemplate } from './template-lock.ts';
import { isUsed, unmarkUse } from './uses.ts';
import { currentVersion, versionNames } from './version.ts';

export const unfinishedPrefix = '.building-';
const removedPrefix = '.removed-';

/** Mark of a build that has not yet made its version the current one. */
export const buildMark = 'build';

/**
 * Deletes the versions of a template that nobody needs: neither the current one nor used. Safe
 * beside other daemons without the template's lock.
 */
export async function collectVersions(templatesDir: string, name: string): Promise<void> {
  for (const version of versionNames(templatesDir, name))
    await collectVersion(templatesDir, name, version);
}

export async function collectVersion(
  templatesDir: string,
  name: string,
  version: string,
): Promise<void> {
  const home = join(templatesDir, name);
  const directory = join(home, version);
  if (currentVersion(templatesDir, name) === version || isUsed(directory)) return;
  // Out of sight first: who marks a use after this look sees that the version is gone.
  const hidden = `${removedPrefix}${version}-${randomBytes(4).toString('hex')}`;
  try {
    renameSync(directory, join(home, hidden));
  } catch {
    return;
  }
  if (isUsed(join(home, hidden))) renameSync(join(home, hidden), directory);
  else await deleteDeadTree(home, hidden);
}

/** Removes what builds and removals left half-done. To be called with the template's lock held. */
export async function removeUnfinished(templatesDir: string, name: string): Promise<void> {
  const home = join(templatesDir, name);
  for (const entry of readdirSync(home))
    if (entry.startsWith(unfinishedPrefix)) await deleteDeadTree(home, entry);
    else if (entry.startsWith(removedPrefix) && !isUsed(join(home, entry)))
      await deleteDeadTree(home, entry);
  for (const version of versionNames(templatesDir, name)) unmarkUse(join(home, version), buildMark);
}

/** Removes the directory of a template that has neither a current version nor others. */
export function removeEmptyHome(templatesDir: string, name: string): void {
  const home = join(templatesDir, name);
  if (readdirSync(home).some((entry) => entry !== '.lock')) return;
  rmSync(join(home, '.lock'), { force: true });
  rmdirSync(home);
}

/** What earlier daemons left in a templates directory: unused versions, unfinished builds. */
export async function collectAll(templatesDir: string, signal: AbortSignal): Promise<void> {
  for (const entry of readdirSync(templatesDir, { withFileTypes: true })) {
    if (!entry.isDirectory() || !hasWork(templatesDir, entry.name)) continue;
    using lock = await lockTemplate(templatesDir, entry.name, signal);
    void lock;
    await removeUnfinished(templatesDir, entry.name);
    await collectVersions(templatesDir, entry.name);
    removeEmptyHome(templatesDir, entry.name);
  }
}

function hasWork(templatesDir: string, name: string): boolean {
  const home = join(templatesDir, name);
  const current = currentVersion(templatesDir, name);
  return readdirSync(home).some(
    (entry) =>
      entry.startsWith(unfinishedPrefix) ||
      entry.startsWith(removedPrefix) ||
      (existsSync(join(home, entry, 'template.json')) && entry !== current) ||
      (current === undefined && entry === '.lock'),
  );
}
