import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { RootedFs } from '../rooted-fs/rooted-fs.ts';
import { scratchInMemory } from '../testing/scratch.ts';
import { WatchedModel } from '../testing/watched-model.ts';

const CHURN = fileURLToPath(new URL('churn.mjs', import.meta.url));

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'whoever follows the events knows what is there in the end, after any operations (seed %i)',
  async (seed) => {
    using scratch = scratchInMemory();
    const inside = join(scratch.path, 'watched');
    const outside = join(scratch.path, 'outside');
    for (const directory of [inside, outside]) {
      mkdirSync(join(directory, 'a/b'), { recursive: true });
    }
    using fs = RootedFs.open(scratch.path);
    using watcher = await fs.watch('/watched');
    const model = new WatchedModel(watcher, inside);
    const churn = spawn(process.execPath, [CHURN, inside, outside, String(seed), '4000']);
    await once(churn, 'exit');
    // Directories that moved while they were read are looked for again.
    await expect.poll(() => model.believed, { timeout: 5000 }).toEqual(model.truth);
  },
);
