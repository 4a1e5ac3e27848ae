import { existsSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { inRepo, repoDir, setupDir, venvDir } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { filesBelow } from '../lib/stamp.mjs';
import { readJunit } from './junit.mjs';
import { withFailure } from './run-vitest.mjs';

const suites = ['sdks/python/tests', 'tests/python'];
const nothingCollected = 5;

/** Test files whose path holds one of the filters; the suites whole when there is no filter. */
function selectPaths(filters) {
  const present = suites.filter((suite) => existsSync(inRepo(suite)));
  if (filters.length === 0) return present;
  return present
    .flatMap((suite) => filesBelow(inRepo(suite), (path) => /test_[^/]*\.py$/.test(path)))
    .map((path) => relative(repoDir, path))
    .filter((path) => filters.some((filter) => path.includes(filter)));
}

/**
 * Runs the Python suites, one pytest after the other because each has its own conftest, and
 * resolves to the sum of their reports.
 */
export async function runPytest({ filters, env, killOnAbort }) {
  const paths = selectPaths(filters);
  let total = { passed: 0, failed: 0, skipped: [], failures: [], retried: [] };
  for (const suite of suites) {
    const own = paths.filter((path) => path === suite || path.startsWith(`${suite}/`));
    if (own.length === 0) continue;
    const report = await runSuite(suite, own, { env, killOnAbort });
    total = {
      passed: total.passed + report.passed,
      failed: total.failed + report.failed,
      skipped: [...total.skipped, ...report.skipped],
      failures: [...total.failures, ...report.failures],
      retried: [...total.retried, ...report.retried],
    };
  }
  return total;
}

async function runSuite(suite, paths, { env, killOnAbort }) {
  const reportFile = join(setupDir, `pytest-${suite.replaceAll('/', '-')}.xml`);
  const rerunsFile = reportFile.replace(/xml$/, 'reruns.json');
  rmSync(reportFile, { force: true });
  rmSync(rerunsFile, { force: true });
  // pytest keeps the directories of `tmp_path` for a look after the run; they are no leak.
  const kept = join(env.TMPDIR, 'pytest-kept');
  const result = await run(
    join(venvDir, 'bin/python'),
    [
      '-m',
      'pytest',
      '-p',
      'no:cacheprovider',
      '--numprocesses=2',
      '--dist=loadfile',
      `--junitxml=${reportFile}`,
      `--basetemp=${kept}`,
      // As for the other suites: on CI what fails is tried again, and named.
      ...(process.env.CI === undefined ? [] : ['--reruns=1', '-p', 'report_reruns']),
      ...paths,
    ],
    {
      cwd: repoDir,
      inherit: true,
      killOnAbort,
      env: {
        ...env,
        PYTHONPATH: inRepo('scripts/testing'),
        PYTHONDONTWRITEBYTECODE: '1',
        SANDPORT_RERUNS_REPORT: rerunsFile,
      },
    },
  );
  await run('rm', ['-rf', '--one-file-system', '--', kept]);
  try {
    const report = readJunit(await readFile(reportFile, 'utf8'), suite, readReruns(rerunsFile));
    if (result.code === 0 || result.code === nothingCollected || report.failed > 0) return report;
    return withFailure(report, `pytest ${suite} ended with code ${result.code}`);
  } catch {
    const why = `pytest ${suite} wrote no report (code ${result.code}, signal ${result.signal})`;
    return withFailure({ passed: 0, failed: 0, skipped: [], failures: [], retried: [] }, why);
  }
}

/** Why tests failed at first; written only where they are tried again. */
const readReruns = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
