import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'sandport';
import { beforeAll } from 'vitest';
import { repoDir, templatesDir } from './paths.ts';
import type { UsedDaemon } from './use-daemon.ts';

/**
 * Builds `code-interpreter` before the tests: about two minutes the first time and when recipes have
 * changed, kept for later runs.
 */
export function useCodeInterpreter(used: UsedDaemon): void {
  beforeAll(async () => {
    const { url, apiKey } = used.daemon;
    const { templates } = new Client({ url, apiKey });
    const { status } = await templates.get('code-interpreter');
    if (status !== 'ready' || isOutdated()) await templates.build('code-interpreter');
  }, 900_000);
}

function isOutdated(): boolean {
  const builtMs = statSync(join(templatesDir, 'code-interpreter/current')).mtimeMs;
  const recipes = join(repoDir, 'packages/driver-local/src/templates/recipes');
  return readdirSync(recipes).some((name) => statSync(join(recipes, name)).mtimeMs > builtMs);
}
