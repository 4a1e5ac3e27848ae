import { inRepo, repoDir } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

export const name = 'lint (oxlint)';

export async function check() {
  const result = await run(
    inRepo('node_modules/.bin/oxlint'),
    ['--deny-warnings', '--format=unix', '.'],
    { cwd: repoDir },
  );
  return { problems: result.code === 0 ? [] : result.tail };
}
