import { inRepo, repoDir } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

export const name = 'types (TypeScript)';

export async function check() {
  const result = await run(process.execPath, [inRepo('node_modules/typescript/bin/tsc'), '-b'], {
    cwd: repoDir,
  });
  return { problems: result.code === 0 ? [] : result.tail };
}
