import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { inRepo, repoDir, setupDir } from '../lib/paths.mjs';
import { asInvokingUser } from '../lib/privilege.mjs';
import { run } from '../lib/run.mjs';
import { hashTimes, stampMatches, writeStamp } from '../lib/stamp.mjs';
import { typeScriptProjects } from './build.mjs';

export const bundleDir = inRepo('apps/cli/dist/bundle');

/** Folders of the packages that the command line is made of. */
export const bundledPackages = () =>
  typeScriptProjects()
    .map((project) => inRepo(project))
    .filter((folder) => /\/(?:packages|sdks|apps)\/[^/]+$/.test(folder));

/** Files that a build of one of those packages, or an installation of npm packages, writes. */
export const bundleInputs = () => [
  inRepo('node_modules/.package-lock.json'),
  ...bundledPackages().map((folder) => join(folder, 'dist/.tsbuildinfo')),
];

/**
 * The command line in few files, which start in a third of the time of its modules. Skipped when
 * nothing that it is made of was built since.
 */
export async function bundleCommandLine(say) {
  const program = inRepo('scripts/setup/write-bundle.mjs');
  const inputs = hashTimes([program, ...bundleInputs()]);
  const stamp = join(setupDir, 'stamps/bundle');
  if (existsSync(join(bundleDir, 'current.json')) && stampMatches(stamp, inputs)) {
    return 'up to date';
  }
  const result = await run(process.execPath, [program], {
    cwd: repoDir,
    onLine: say,
    ...(await asInvokingUser()),
  });
  if (result.code !== 0) {
    throw new Failure('The command line could not be bundled: the lines above say why.', {
      output: result.tail.slice(-20),
    });
  }
  writeStamp(stamp, inputs);
  return 'built';
}
