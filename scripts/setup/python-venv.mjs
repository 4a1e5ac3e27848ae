import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { inRepo, logsDir, repoDir, setupDir, venvDir } from '../lib/paths.mjs';
import { asInvokingUser } from '../lib/privilege.mjs';
import { run } from '../lib/run.mjs';
import { hashContents, stampMatches, writeStamp } from '../lib/stamp.mjs';
import { checkDiskSpace } from './platform.mjs';

/** Debian's own interpreter, for which python3-venv is installed; another only without it. */
export const interpreter = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** The virtual environment with the Python SDK (editable), its tools and its tests' packages. */
export async function makePythonVenv(say) {
  const requirements = inRepo('tests/python/requirements.txt');
  const version = await run(interpreter, ['--version']);
  const inputs = hashContents(
    [inRepo('sdks/python/pyproject.toml'), requirements],
    `${version.stdout}${repoDir}`,
  );
  const stamp = join(setupDir, 'stamps/python-venv');
  const python = join(venvDir, 'bin/python');
  if (existsSync(python) && stampMatches(stamp, inputs)) return 'up to date';

  checkDiskSpace();
  const options = {
    cwd: repoDir,
    logFile: join(logsDir, 'python-venv.log'),
    onLine: say,
    ...(await asInvokingUser()),
  };
  rmSync(stamp, { force: true });
  rmSync(venvDir, { recursive: true, force: true });
  say('python3 -m venv');
  const made = await run(interpreter, ['-m', 'venv', venvDir], options);
  if (made.code !== 0) {
    throw new Failure(
      'The Python environment could not be made: install python3 (3.9 or newer) and python3-venv, then try again.',
      { output: made.tail.slice(-8) },
    );
  }
  const flags = ['--quiet', '--disable-pip-version-check', '--retries=2'];
  const wanted = ['-e', 'sdks/python[dev]', '-r', requirements];
  const installed = await run(python, ['-m', 'pip', 'install', ...flags, ...wanted], options);
  if (installed.code !== 0) {
    throw new Failure(
      'The Python packages could not be installed: check that the Python package index can be reached, then try again.',
      { output: installed.tail.slice(-12) },
    );
  }
  writeStamp(stamp, inputs);
  return 'installed';
}
