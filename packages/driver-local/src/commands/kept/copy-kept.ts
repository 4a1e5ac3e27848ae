import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@sandport/linux';

/**
 * Copies what is kept of commands, which may be written to meanwhile. Both are trusted paths that no
 * guest reaches. The copy is whole: a record that tells of an end is read before what came before
 * that end, and newer files of a stream before those that they follow.
 */
export async function copyKept(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(to, { mode: 0o700 });
  for (const key of await readdir(from)) {
    await mkdir(join(to, key), { mode: 0o700 });
    const names = await readdir(join(from, key)).catch(unlessGone([]));
    for (const name of names.toSorted(newestFirst))
      await copyFile(join(from, key, name), join(to, key, name)).catch(unlessGone(undefined));
  }
}

const offsetOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1] ?? Infinity);

const newestFirst = (a: string, b: string): number =>
  offsetOf(a) === offsetOf(b) ? 0 : offsetOf(b) - offsetOf(a);

const unlessGone =
  <T>(value: T) =>
  (error: unknown): T => {
    if (errnoOf(error) === 'ENOENT') return value;
    throw error;
  };
