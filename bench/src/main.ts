import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isFileMeasurement } from './files/measurement.ts';
import { writePage } from './files/page.ts';
import { thisMachine } from './machine.ts';
import { type Measurement, meetsBudget, renderTable } from './report.ts';
import { writeRowPage } from './row-page.ts';
import { agentSandbox } from './rows/agent-sandbox.ts';
import { commands } from './rows/commands.ts';
import { create } from './rows/create.ts';
import { code } from './rows/code.ts';
import { exec } from './rows/exec.ts';
import { files } from './rows/files.ts';
import { idle } from './rows/idle.ts';
import { largeFiles } from './rows/large-files.ts';
import { lifecycle } from './rows/lifecycle.ts';
import { network } from './rows/network.ts';
import { ports } from './rows/ports.ts';
import { pythonSdk } from './rows/python-sdk.ts';
import { smallFiles } from './rows/small-files.ts';
import { ssh } from './rows/ssh.ts';
import { type Row, type Subject, workingIsolations } from './subject.ts';

const rows: readonly Row[] = [
  smallFiles,
  largeFiles,
  create,
  exec,
  code,
  commands,
  pythonSdk,
  files,
  lifecycle,
  ports,
  ssh,
  agentSandbox,
  network,
  idle,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'size-mib': { type: 'string', default: '1024' },
    idle: { type: 'string', default: '200' },
    huge: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const options = {
  sizeMib: Number(values['size-mib']),
  idle: Number(values.idle),
  huge: values.huge,
  quick: values.quick,
};

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run \`npm run bench\``);
  return value;
}

const chosen =
  positionals.length > 0
    ? rows.filter(({ name }) => positionals.includes(name))
    : rows.filter(({ onlyWhenNamed }) => !onlyWhenNamed);
const unknown = positionals.filter((name) => !rows.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(
    `no row ${unknown.join(', ')}; there are ${rows.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const config = { url: environment('SANDPORT_URL'), apiKey: environment('SANDPORT_API_KEY') };
const subject: Subject = {
  ...config,
  daemonPid: Number(environment('BENCH_DAEMON_PID')),
  floorUrl: environment('BENCH_FLOOR_URL'),
  floorPid: Number(environment('BENCH_FLOOR_PID')),
  workDir: environment('BENCH_WORK_DIR'),
  python: environment('BENCH_PYTHON'),
  storage: environment('BENCH_STORAGE'),
  benchDir: environment('BENCH_DIR'),
  isolations: await workingIsolations(config),
};
if (subject.isolations.length === 0) {
  console.error('No isolation works on this machine: run `npx sandport doctor`.');
  process.exit(1);
}

const machine = thisMachine();
if (machine.loadBefore > machine.cores / 2) {
  console.error(
    `The machine is busy (load ${machine.loadBefore.toFixed(1)}): trust the ratios more than the times.`,
  );
}
const takenAt = new Date().toISOString();
const docs = join(subject.benchDir, '../docs');
const measurements: Measurement[] = [];
for (const row of chosen) {
  console.error(`measuring ${row.name} …`);
  const measured = await row.measure(subject, options);
  measurements.push(...measured);
  if (options.quick) continue;
  const ofFiles = measured.filter(isFileMeasurement);
  if (ofFiles.length > 0) writePage(docs, ofFiles, machine, takenAt);
  else writeRowPage(docs, row.name, measured, machine, takenAt);
}
console.log(renderTable(measurements));

const results = join(subject.benchDir, 'results');
mkdirSync(results, { recursive: true });
const file = join(results, `${takenAt.replaceAll(/[:.]/g, '-')}.json`);
const withVerdict = measurements.map((m) => ({ ...m, met: meetsBudget(m) }));
writeFileSync(
  file,
  `${JSON.stringify({ takenAt, machine, options, measurements: withVerdict }, null, 2)}\n`,
);
if (!options.quick) console.log('\nThe pages: docs/benchmarks.md and docs/benchmarks');
console.log(`\nThe numbers as JSON: bench/results/${file.slice(results.length + 1)}`);
process.exit(measurements.some((m) => meetsBudget(m) === false) ? 1 : 0);
