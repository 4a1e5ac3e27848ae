import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { tryRuntime, type TrialOptions, type TrialResult } from './trial.ts';

const cacheSchema = z.record(z.string(), z.number());

/**
 * The result of an earlier trial since the machine's start, if the runtime worked then and neither
 * it nor the init has changed; otherwise a new trial.
 */
export async function tryRuntimeOnce(options: TrialOptions): Promise<TrialResult> {
  const file = join(options.directory, 'trials.json');
  const key = cacheKey(options);
  const durationMs = readCache(file)[key];
  if (durationMs !== undefined) return { works: true, durationMs };
  const result = await tryRuntime(options);
  if (result.works) {
    try {
      const content = JSON.stringify({ ...readCache(file), [key]: result.durationMs });
      writeFileSync(`${file}.${process.pid}`, content, { mode: 0o600 });
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      // The next start tries the runtime again.
    }
  }
  return result;
}

function cacheKey({ runtime, initBinary }: TrialOptions): string {
  const { mtimeMs, size } = statSync(runtime.program);
  const init = initBinary.slice(initBinary.lastIndexOf('-') + 1);
  return [runtime.program, runtime.version, mtimeMs, size, init].join(' ');
}

function readCache(file: string): Record<string, number> {
  try {
    return cacheSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
