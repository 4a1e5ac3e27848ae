import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bootstrap } from './bootstrap.ts';
import { lockFile } from './file-lock.ts';
import { finishRoot } from './finish-root.ts';
import type { TemplateRecipe } from './recipe.ts';
import { isUsed } from './uses.ts';
import { currentFile, currentVersion, readVersion } from './version.ts';

const unfinishedPrefix = '.building-';

export interface BuildOptions {
  readonly templatesDir: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds a new version of a template beside the others and makes it the current one. When another
 * daemon finishes the same template while this one waits for its turn, that version serves.
 */
export async function buildTemplate(recipe: TemplateRecipe, options: BuildOptions): Promise<void> {
  const { templatesDir, onLine, signal } = options;
  const home = join(templatesDir, recipe.name);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const before = currentVersion(templatesDir, recipe.name);
  await using lock = await lockFile(join(home, '.lock'), signal);
  void lock;
  removeWhere(home, (name) => name.startsWith(unfinishedPrefix));
  const meanwhile = currentVersion(templatesDir, recipe.name);
  if (meanwhile !== before && meanwhile !== undefined) return;

  const version = new Date()
    .toISOString()
    .toLowerCase()
    .replace(/[^0-9tz]/g, '');
  const unfinished = join(home, unfinishedPrefix + version);
  const rootPath = join(unfinished, 'rootfs');
  mkdirSync(unfinished, { mode: 0o755 });
  try {
    const packages = recipe.packages;
    await bootstrap({ packages, target: rootPath, onLine, signal });
    await finishRoot(rootPath, recipe);
    const { user, workdir, env } = recipe;
    const record = {
      builtAt: new Date(),
      sizeBytes: await diskUsage(rootPath),
      user: user.name,
      workdir,
      env,
    };
    writeFileSync(join(unfinished, 'template.json'), `${JSON.stringify(record, null, 2)}\n`);
    renameSync(unfinished, join(home, version));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  const pointer = currentFile(templatesDir, recipe.name);
  writeFileSync(`${pointer}.new`, `${version}\n`);
  renameSync(`${pointer}.new`, pointer);
  removeWhere(
    home,
    (name) =>
      name !== version &&
      readVersion(templatesDir, recipe.name, name) !== undefined &&
      !isUsed(join(home, name)),
  );
}

/** Trees below the templates directory hold what packages wrote, nothing that a guest made. */
function removeWhere(home: string, matches: (name: string) => boolean): void {
  for (const name of readdirSync(home))
    if (matches(name)) rmSync(join(home, name), { recursive: true, force: true });
}

async function diskUsage(directory: string): Promise<number> {
  const { stdout } = await promisify(execFile)('du', ['-sx', '-B1', directory]);
  return Number.parseInt(stdout, 10);
}
