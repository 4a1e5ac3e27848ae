import { existsSync } from 'node:fs';
import { Failure } from './failure.mjs';
import { inRepo, repoDir } from './paths.mjs';
import { run } from './run.mjs';

/** Paths of the files that git tracks or would track, relative to the repository. */
export async function trackedFiles() {
  const result = await run(
    'git',
    [
      '-c',
      `safe.directory=${repoDir}`,
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
    ],
    { cwd: repoDir },
  );
  if (result.code !== 0) {
    throw new Failure(
      'The checks ask git which files belong to the project: install git, or clone instead of copying.',
    );
  }
  return result.stdout.split('\0').filter((path) => path !== '' && existsSync(inRepo(path)));
}
