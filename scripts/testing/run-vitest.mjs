import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inRepo, repoDir, setupDir } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

/** Runs the TypeScript suites, unit and black-box, and resolves to their report. */
export async function runVitest({ filters, env, killOnAbort }) {
  const reportFile = join(setupDir, 'vitest-report.json');
  rmSync(reportFile, { force: true });
  const result = await run(
    process.execPath,
    [
      inRepo('node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      `--reporter=${inRepo('scripts/testing/vitest-report.mjs')}`,
      ...filters,
    ],
    {
      cwd: repoDir,
      inherit: true,
      killOnAbort,
      env: { ...env, SANDPORT_VITEST_REPORT: reportFile },
    },
  );
  try {
    const report = JSON.parse(await readFile(reportFile, 'utf8'));
    if (result.code === 0 || report.failed > 0) return report;
    return withFailure(report, `vitest ended with code ${result.code}`);
  } catch {
    const why = `vitest wrote no report (code ${result.code}, signal ${result.signal})`;
    return withFailure({ passed: 0, failed: 0, skipped: [], failures: [], retried: [] }, why);
  }
}

export const withFailure = (report, name) => ({
  ...report,
  failed: report.failed + 1,
  failures: [...report.failures, { name, reason: '' }],
});
