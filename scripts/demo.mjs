import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deleteSandboxes, startDaemon } from './lib/daemon.mjs';
import { Failure, runMain } from './lib/failure.mjs';
import { interrupted, watchForInterrupts } from './lib/interrupts.mjs';
import { beginLeakCheck } from './lib/leak-check.mjs';
import { removeDeadRuns, removeTraces } from './lib/leftovers.mjs';
import { inRepo, repoDir, sandportBin, shown, venvDir } from './lib/paths.mjs';
import { giveBack, giveBackSetupDir, isRoot, isSecondRun, reexecAsRoot } from './lib/privilege.mjs';
import { bold, duration, green, step } from './lib/progress.mjs';
import { run } from './lib/run.mjs';
import { beginRun } from './lib/run-marker.mjs';
import { setup } from './setup.mjs';

const outputDir = inRepo('demo-output');
const sample = inRepo('examples/input.csv');

const programs = [
  {
    title: 'Python: upload, process, download',
    command: join(venvDir, 'bin/python'),
    program: inRepo('examples/python/process_csv.py'),
    output: join(outputDir, 'python/output.csv'),
  },
  {
    title: 'TypeScript: upload, process, download',
    command: process.execPath,
    program: inRepo('examples/typescript/process-csv.mjs'),
    output: join(outputDir, 'typescript/output.csv'),
  },
];

/** `npm run demo`: from whatever state the machine is in to two processed files. */
async function main() {
  const startedAt = performance.now();
  if (!isSecondRun) await setup();
  if (!isRoot) return reexecAsRoot('Running sandboxes');
  watchForInterrupts();
  await removeDeadRuns();
  stopIfInterrupted();

  const thisRun = beginRun('demo');
  const leakCheck = beginLeakCheck(thisRun);
  let daemon;
  let failure;
  try {
    console.log(bold('Daemon'));
    const dataDir = join(thisRun.tempDir, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    await step('start on loopback', async () => {
      daemon = await startDaemon({ dataDir, env: thisRun.env });
      return daemon.url;
    });
    if (daemon.isolations.length === 0) await explainMachine();
    for (const program of programs) await runExample(program, daemon, thisRun);
  } catch (error) {
    failure = error;
  }
  await cleanUp(daemon, thisRun, leakCheck).catch((error) => {
    if (failure === undefined) throw error;
    console.error(error.message);
  });
  if (failure !== undefined) throw failure;
  stopIfInterrupted();

  console.log(bold('The results'));
  for (const { output } of programs) console.log(`  ${shown(output)}`);
  console.log(`${green('Done')} in ${duration(performance.now() - startedAt)}.`);
  console.log('Try it yourself: `npx sandport serve`, then one of the programs in examples/.');
  return 0;
}

/** The machine can run no sandbox: shows what the doctor finds missing. */
async function explainMachine() {
  const doctor = await run(process.execPath, [sandportBin, 'doctor']);
  throw new Failure(
    'No sandbox can run on this machine: the lines above say what is missing and what mends it.',
    { output: doctor.stdout.split('\n').filter((line) => !/^(✓.*|\s*)$/.test(line)) },
  );
}

async function runExample({ title, command, program, output }, daemon, thisRun) {
  stopIfInterrupted();
  console.log(`${bold(title)} (${shown(program)})`);
  const result = await run(command, [program, sample, output], {
    cwd: repoDir,
    env: { ...thisRun.env, SANDPORT_URL: daemon.url, SANDPORT_API_KEY: daemon.apiKey },
    killOnAbort: interrupted,
    onLine: (line) => console.log(line.replaceAll(`${repoDir}/`, '')),
  });
  stopIfInterrupted();
  if (result.code !== 0) throw new Failure(`${shown(program)} failed with code ${result.code}.`);
  if (rowsOf(output) !== rowsOf(sample)) {
    throw new Failure(`${shown(output)} does not hold the rows of ${shown(sample)}.`);
  }
}

/** The text of a CSV file with one kind of line end. */
const rowsOf = (path) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n').trim();

/** Stops what was started, also when the daemon does not answer, and looks that it is gone. */
async function cleanUp(daemon, thisRun, leakCheck) {
  console.log(bold('Clean-up'));
  await step('sandboxes and daemon stopped', async () => {
    if (daemon) {
      await deleteSandboxes(daemon).catch(() => {});
      await daemon.stop();
    }
    await removeTraces(thisRun);
  });
  await step('nothing left behind', async () => {
    const { leaks } = await leakCheck.finish();
    if (leaks.length > 0) {
      throw new Failure('The demo left something behind: the lines above name it.', {
        output: leaks,
      });
    }
    return 'no process, mount, cgroup, network namespace or file';
  });
  thisRun.end();
  await giveBack(outputDir);
  await giveBackSetupDir();
}

function stopIfInterrupted() {
  if (interrupted.aborted) throw new Failure('Interrupted; everything was stopped.');
}

await runMain(main);
