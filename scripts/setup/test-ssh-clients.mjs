import { existsSync } from 'node:fs';
import { warn } from '../lib/progress.mjs';
import { run } from '../lib/run.mjs';
import { aptGet } from './apt.mjs';
import { distribution } from './platform.mjs';

/** Program that the tests run → its Debian package. */
const programs = { ssh: 'openssh-client', rsync: 'rsync', sshfs: 'sshfs' };

const missingPrograms = async () => {
  const missing = [];
  for (const program of Object.keys(programs))
    if ((await run('sh', ['-c', `command -v ${program}`])).code !== 0) missing.push(program);
  return missing;
};

/** Installs the clients of SSH that the tests talk to sandboxes with; none of them is a service. */
export async function installTestSshClients(say) {
  const missing = await missingPrograms();
  if (missing.length === 0) return 'all there';
  if (!distribution().debianLike) return `left out (${missing.join(', ')}): not Debian or Ubuntu`;
  const packages = missing.map((program) => programs[program]);
  const install = ['install', '--no-install-recommends', ...packages];
  let result = await aptGet(install, { say });
  if (!result.ok && existsSync('/etc/apt')) {
    await aptGet(['update'], { say });
    result = await aptGet(install, { say });
  }
  if (result.ok) return `installed ${packages.join(', ')}`;
  warn(`${packages.join(', ')} could not be installed: the tests with them are skipped.`);
  return 'not there';
}
