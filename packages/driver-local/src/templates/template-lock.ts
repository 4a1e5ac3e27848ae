import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '@sandport/linux';

/**
 * Holds the right to build or remove one template, among all daemons that share the directory. The
 * template's directory exists afterwards.
 * @throws the signal's reason
 */
export async function lockTemplate(
  templatesDir: string,
  name: string,
  signal?: AbortSignal,
): Promise<Disposable> {
  const home = join(templatesDir, name);
  for (;;) {
    mkdirSync(home, { recursive: true, mode: 0o755 });
    const file = join(home, '.lock');
    const lock = await lockFile(file, signal);
    // It may have been removed with the template while we waited.
    if (existsSync(file)) return lock;
    lock[Symbol.dispose]();
  }
}
