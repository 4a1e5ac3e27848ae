import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runMain } from './lib/failure.mjs';
import { withLock } from './lib/lock.mjs';
import { setupDir } from './lib/paths.mjs';
import { giveBackSetupDir } from './lib/privilege.mjs';
import { bold, step } from './lib/progress.mjs';
import { buildBaseTemplate, ensureRightsForTemplate } from './setup/base-template.mjs';
import { buildGuestInit, buildTypeScript } from './setup/build.mjs';
import { bundleCommandLine } from './setup/bundle.mjs';
import { installDebianPackages } from './setup/debian-packages.mjs';
import { installNodeModules } from './setup/node-modules.mjs';
import { checkPlatform } from './setup/platform.mjs';
import { makePythonVenv } from './setup/python-venv.mjs';
import { fetchTestKubectl } from './setup/test-kubectl.mjs';
import { makePythonClients } from './setup/test-python-clients.mjs';
import { unpackTestRegistry } from './setup/test-registry.mjs';
import { installTestSshClients } from './setup/test-ssh-clients.mjs';

const steps = [
  ['Debian packages', installDebianPackages],
  ['npm packages', installNodeModules],
  ['guest init', buildGuestInit],
  ['TypeScript build', buildTypeScript],
  ['command line', bundleCommandLine],
  ['Python environment', makePythonVenv],
  ['base template', buildBaseTemplate],
];

/** What only the tests need. */
const testSteps = [
  ['registry for tests', unpackTestRegistry],
  ['kubectl for tests', fetchTestKubectl],
  ['SSH clients for tests', installTestSshClients],
  ['Python clients for tests', makePythonClients],
];

/**
 * Makes a fresh clone ready to run. Every step looks first whether it has anything to do, so this
 * can be called at any time, and again after it was stopped half-way. `forTests` also fetches what
 * only the tests need.
 */
export async function setup({ forTests = false } = {}) {
  console.log(bold('Set-up'));
  await step('machine', checkPlatform);
  await ensureRightsForTemplate();
  const onWait = ({ pid }) => console.log(`  another set-up is running (process ${pid}); waiting`);
  const runSteps = async () => {
    const wanted = forTests ? [...steps, ...testSteps] : steps;
    for (const [name, work] of wanted) await step(name, work);
  };
  try {
    await withLock(join(setupDir, 'lock'), runSteps, { onWait });
  } finally {
    await giveBackSetupDir();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runMain(() => setup());
