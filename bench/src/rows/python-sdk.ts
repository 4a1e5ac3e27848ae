import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Measurement } from '../report.ts';
import type { Row } from '../subject.ts';

const units = { ms: 'ms', mib_per_second: 'MiB/s' } as const;

/** The same byte rows through the Python SDK, in a Python process of its own. */
export const pythonSdk: Row = {
  name: 'python',
  async measure(subject, options) {
    const { stdout } = await promisify(execFile)(
      subject.python,
      [join(subject.benchDir, 'python/bench_sdk.py'), subject.workDir, String(options.sizeMib)],
      { env: { ...process.env, SANDPORT_URL: subject.url, SANDPORT_API_KEY: subject.apiKey } },
    );
    return stdout
      .trim()
      .split('\n')
      .map((line): Measurement => {
        const [operation = '', value, unit] = line.split('\t');
        const shownUnit = unit === 'ms' ? units.ms : units.mib_per_second;
        return { operation: `${operation}, Python SDK`, value: Number(value), unit: shownUnit };
      });
  },
};
