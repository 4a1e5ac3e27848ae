import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { inRepo, logsDir, templatesDir } from '../lib/paths.mjs';
import { ensureRootRights, rootCommand } from '../lib/privilege.mjs';
import { run } from '../lib/run.mjs';
import { checkDiskSpace } from './platform.mjs';

/** Builds the template that sandboxes start from, unless it is there. */
export async function buildBaseTemplate(say) {
  if (existsSync(join(templatesDir, 'base/current'))) return 'up to date';
  checkDiskSpace();
  await ensureRootRights('Building the base template');
  const entry = inRepo('packages/driver-local/dist/build-template.js');
  const elevated = rootCommand(process.execPath, [entry, 'base', templatesDir]);
  const result = await run(elevated.command, elevated.args, {
    env: elevated.env,
    logFile: join(logsDir, 'base-template.log'),
    onLine: say,
  });
  if (result.code !== 0) {
    throw new Failure(
      'The base template could not be built: check that the Debian archive can be reached, then try again.',
      { output: result.tail.slice(-12) },
    );
  }
  return 'built';
}
