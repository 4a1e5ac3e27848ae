import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deleteSandboxes, startDaemon } from './lib/daemon.mjs';
import { runMain } from './lib/failure.mjs';
import { interrupted, watchForInterrupts } from './lib/interrupts.mjs';
import { removeDeadRuns, removeTraces } from './lib/leftovers.mjs';
import { inRepo, repoDir, venvDir } from './lib/paths.mjs';
import { giveBack, isRoot, isSecondRun, reexecAsRoot } from './lib/privilege.mjs';
import { bold } from './lib/progress.mjs';
import { run } from './lib/run.mjs';
import { beginRun } from './lib/run-marker.mjs';
import { setup } from './setup.mjs';

/**
 * `npm run bench [-- ROW… --quick --huge --size-mib N --idle N]`: daemon, floor and client each in a
 * process of its own, all on one disk. The row `lifecycle` runs on both storages, each with a daemon
 * of its own, unless SANDPORT_STORAGE names one. Ends with 1 when a budget is missed.
 */
async function main() {
  if (!isSecondRun) await setup();
  if (!isRoot) return reexecAsRoot('Running sandboxes');
  watchForInterrupts();
  await removeDeadRuns();
  const args = process.argv.slice(2).filter((arg) => arg !== '--');
  const named = process.env.SANDPORT_STORAGE;
  if (named !== undefined || !args.includes('lifecycle')) return measure(args, named ?? 'overlay');
  const onBtrfs = ['lifecycle', ...args.filter((arg) => arg === '--quick')];
  const first = await measure(args, 'overlay');
  return Math.max(first, await measure(onBtrfs, 'btrfs'));
}

/** Runs rows against a daemon on one storage; resolves to the exit code. */
async function measure(args, storage) {
  const thisRun = beginRun('bench');
  const folder = (name) => {
    const path = join(thisRun.tempDir, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  };
  try {
    console.log(bold('Benchmark'));
    const daemon = await startDaemon({
      dataDir: folder('data'),
      env: {
        ...thisRun.env,
        SANDPORT_STORAGE: storage,
        SANDPORT_LOG_LEVEL: process.env.SANDPORT_LOG_LEVEL ?? 'info',
      },
    });
    const floor = await startFloor(folder('floor'), thisRun.env);
    const result = await run(process.execPath, [inRepo('bench/dist/main.js'), ...args], {
      cwd: repoDir,
      inherit: true,
      killOnAbort: interrupted,
      env: {
        ...thisRun.env,
        SANDPORT_URL: daemon.url,
        SANDPORT_API_KEY: daemon.apiKey,
        BENCH_DAEMON_PID: String(daemon.pid),
        BENCH_FLOOR_URL: floor.url,
        BENCH_FLOOR_PID: String(floor.pid),
        BENCH_WORK_DIR: folder('client'),
        BENCH_PYTHON: join(venvDir, 'bin/python'),
        BENCH_STORAGE: storage,
        BENCH_DIR: inRepo('bench'),
      },
    });
    floor.stop();
    await deleteSandboxes(daemon).catch(() => {});
    await daemon.stop();
    return result.code;
  } finally {
    await removeTraces(thisRun);
    thisRun.end();
    await giveBack(inRepo('bench/results'));
    await giveBack(inRepo('docs'));
  }
}

async function startFloor(directory, env) {
  const child = spawn(process.execPath, [inRepo('bench/dist/floor.js'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const [line] = await once(child.stdout, 'data');
  const url = `http://127.0.0.1:${Number(line)}/`;
  return { url, pid: child.pid, stop: () => child.kill() };
}

await runMain(main);
