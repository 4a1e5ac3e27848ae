import { inRepo, repoDir } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

export const name = 'format (Biome)';

export async function check() {
  const result = await run(
    inRepo('node_modules/.bin/biome'),
    ['format', '--reporter=summary', '--max-diagnostics=20', '.'],
    { cwd: repoDir },
  );
  return {
    problems: result.code === 0 ? [] : [...result.tail, '`npm run format` mends this.'],
  };
}
