import { beginLeakCheck } from './lib/leak-check.mjs';
import { removeDeadRuns, removeTraces } from './lib/leftovers.mjs';
import { runMain } from './lib/failure.mjs';
import { interrupted, watchForInterrupts } from './lib/interrupts.mjs';
import { templatesDir } from './lib/paths.mjs';
import { giveBackSetupDir, isRoot, isSecondRun, reexecAsRoot } from './lib/privilege.mjs';
import { bold, red, yellow } from './lib/progress.mjs';
import { beginRun } from './lib/run-marker.mjs';
import { setup } from './setup.mjs';
import { runPytest } from './testing/run-pytest.mjs';
import { runVitest, withFailure } from './testing/run-vitest.mjs';

/** `npm test [-- FILTER…]`: set-up, every suite, and the check that nothing is left behind. */
async function main() {
  const filters = process.argv.slice(2).filter((arg) => arg !== '--');
  if (!isSecondRun) await setUpOrCount();
  if (!isRoot) return reexecAsRoot('Running sandboxes');
  watchForInterrupts();
  forgetOwnSettings();
  const cleaned = await removeDeadRuns();
  if (cleaned > 0) console.log(`Cleaned up after ${cleaned} earlier run(s) that did not end.`);

  const run = beginRun('test');
  const leakCheck = beginLeakCheck(run);
  const options = {
    filters,
    killOnAbort: interrupted,
    env: { ...run.env, SANDPORT_TEMPLATES_DIR: templatesDir },
  };
  try {
    const reports = [];
    for (const [title, runner] of [
      ['TypeScript tests', runVitest],
      ['Python tests', runPytest],
    ]) {
      if (interrupted.aborted) break;
      console.log(bold(title));
      reports.push(await runner(options));
    }
    reports.push(await reportLeaks(leakCheck));
    return summarize(reports);
  } finally {
    await removeTraces(run);
    run.end();
    await giveBackSetupDir();
  }
}

/** What the user has set for a daemon of their own must reach neither the tests nor their daemons. */
function forgetOwnSettings() {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('SANDPORT_')) delete process.env[name];
  }
}

/** A set-up that fails is a failed test: then the counts are the last line as well. */
async function setUpOrCount() {
  try {
    await setup({ forTests: true });
  } catch (error) {
    process.once('exit', () => console.log('\n0 passed, 1 failed'));
    throw error;
  }
}

/** What is left on the machine, counted as one test. */
async function reportLeaks(leakCheck) {
  console.log(bold('Leak check'));
  const { leaks, alone } = await leakCheck.finish();
  for (const leak of leaks) console.log(`  left behind: ${leak}`);
  if (leaks.length === 0) {
    const scope = alone ? 'on the machine' : 'by this run (another Sandport is at work here)';
    console.log(`  no process, mount, cgroup, network namespace or file was left ${scope}`);
  }
  const report = {
    passed: leaks.length === 0 ? 1 : 0,
    failed: 0,
    skipped: [],
    failures: [],
    retried: [],
  };
  return leaks.length === 0 ? report : withFailure(report, `leak check: ${leaks.length} left`);
}

/** Prints skips, failures and, last, the line with the counts. Returns the exit code. */
function summarize(reports) {
  const sum = (name) => reports.reduce((total, report) => total + report[name], 0);
  const skipped = reports.flatMap((report) => report.skipped);
  const failures = reports.flatMap((report) => report.failures);
  if (interrupted.aborted) failures.push({ name: 'the run was interrupted', reason: '' });
  if (skipped.length > 0) console.log(bold('\nSkipped'));
  for (const { name, reason } of skipped) {
    console.log(`  ${yellow('-')} ${name}: ${reason || 'no reason given'}`);
  }
  const retried = reports.flatMap((report) => report.retried);
  if (retried.length > 0) console.log(bold('\nPassed at the second try only'));
  for (const each of retried) console.log(withReason(yellow('!'), each));
  if (failures.length > 0) console.log(bold('\nFailed'));
  for (const each of failures) console.log(withReason(red('✗'), each));
  const failed = sum('failed') + (interrupted.aborted ? 1 : 0);
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  console.log(`\n${sum('passed')} passed, ${failed} failed${tail}`);
  return failed === 0 ? 0 : 1;
}

const withReason = (mark, { name, reason }) =>
  [`  ${mark} ${name}`, ...reason.split('\n').filter((line) => line !== '')].join('\n      ');

await runMain(main);
