import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { inRepo, logsDir, setupDir, templatesDir } from '../lib/paths.mjs';
import { ensureRootRights, rootCommand } from '../lib/privilege.mjs';
import { warn } from '../lib/progress.mjs';
import { run } from '../lib/run.mjs';
import { hashContents, stampMatches, writeStamp } from '../lib/stamp.mjs';
import { checkDiskSpace } from './platform.mjs';

/** What decides how the template turns out. */
const inputFiles = ['recipes/base.ts', 'sources/packages.ts', 'bootstrap.ts', 'finish-root.ts'].map(
  (name) => inRepo('packages/driver-local/src/templates', name),
);

const isThere = () => existsSync(join(templatesDir, 'base/current'));

/** Asks for root's rights at the start of a set-up that will need them near its end. */
export async function ensureRightsForTemplate() {
  if (!isThere()) await ensureRootRights('Building the base template');
}

/** Builds the template that sandboxes start from; again when its recipe has changed. */
export async function buildBaseTemplate(say) {
  const inputs = hashContents(inputFiles, templatesDir);
  const stamp = join(setupDir, 'stamps/base-template');
  if (isThere() && stampMatches(stamp, inputs)) return 'up to date';
  checkDiskSpace();
  await ensureRootRights('Building the base template');
  const entry = inRepo('packages/driver-local/dist/build-template.js');
  const logFile = join(logsDir, 'base-template.log');
  const elevated = rootCommand(process.execPath, [entry, 'base', templatesDir]);
  const result = await run(elevated.command, elevated.args, {
    env: elevated.env,
    logFile,
    onLine: say,
  });
  if (result.code !== 0) {
    if (isThere()) {
      warn('The base template could not be built anew (see .setup/logs); the old one serves.');
      return 'old one kept';
    }
    throw new Failure(
      'The base template could not be built: check that the Debian archive can be reached, then try again.',
      { output: result.tail.slice(-12) },
    );
  }
  writeStamp(stamp, inputs);
  return 'built';
}
