import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inRepo, logsDir, repoDir, setupDir } from '../lib/paths.mjs';
import { warn } from '../lib/progress.mjs';
import { run } from '../lib/run.mjs';
import { hashContents, stampMatches, writeStamp } from '../lib/stamp.mjs';
import { interpreter } from './python-venv.mjs';

/** Generations of another system's client; each has requirements beside the tests. */
const generations = ['0.4', '1.0'];

/** Environments with the unmodified clients; the tests that need one are skipped without it. */
export async function makePythonClients(say) {
  const made = [];
  for (const generation of generations)
    if (await makeEnvironment(generation, say)) made.push(generation);
  return made.length === 0 ? 'none' : made.join(', ');
}

/** True when it is there. */
async function makeEnvironment(generation, say) {
  const requirements = inRepo(`tests/python/agent-sandbox-clients/${generation}.txt`);
  const folder = join(setupDir, 'python-clients', generation);
  const python = join(folder, 'bin/python');
  const stamp = join(setupDir, `stamps/python-client-${generation}`);
  const version = await run(interpreter, ['--version']);
  const inputs = hashContents([requirements], `${version.stdout}${repoDir}`);
  if (existsSync(python) && stampMatches(stamp, inputs)) return true;
  rmSync(stamp, { force: true });
  rmSync(folder, { recursive: true, force: true });
  say(`client ${generation}`);
  const options = { cwd: repoDir, onLine: say, logFile: join(logsDir, 'python-clients.log') };
  const flags = ['--quiet', '--disable-pip-version-check', '--retries=2'];
  const ok =
    (await run(interpreter, ['-m', 'venv', folder], options)).code === 0 &&
    (await run(python, ['-m', 'pip', 'install', ...flags, '-r', requirements], options)).code === 0;
  if (ok) {
    writeStamp(stamp, inputs);
    return true;
  }
  rmSync(folder, { recursive: true, force: true });
  warn(`The client ${generation} of agent-sandbox could not be installed: its tests are skipped.`);
  return false;
}
