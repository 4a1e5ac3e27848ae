import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A chain of directories that no path can name whole: made from its deepest end upwards. */
export function makeDeepTree(parent: string, name: string, levels: number): void {
  const chunk = 'd/'.repeat(200);
  let top = '';
  for (let made = 0; made < levels; made += 200) {
    const next = join(parent, `part-${made}`);
    mkdirSync(join(next, chunk), { recursive: true });
    writeFileSync(join(next, chunk, 'file'), '');
    symlinkSync('/etc/passwd', join(next, 'link'));
    if (top !== '') renameSync(top, join(next, chunk, 'deeper'));
    top = next;
  }
  renameSync(top, join(parent, name));
}
