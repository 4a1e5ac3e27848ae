import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { runningDir } from './paths.ts';
import { identityOf } from './process-identity.ts';

/** Variable by which every process that a run starts can be told from all others. */
const runVariable = 'SANDPORT_RUN_ID';

/** Where one test process keeps its data directories, and the environment of what it starts. */
export interface TestRun {
  readonly tempDir: string;
  readonly env: Readonly<Record<string, string>>;
}

let current: (TestRun & { readonly end?: () => void }) | undefined;

// Registered when a test file imports the harness, so that it runs after all hooks of the file.
afterAll(() => {
  if (!keep) current?.end?.();
  current = undefined;
});

let keep = false;

/**
 * Leaves the directory and the marker for the clean-up by id, which ends the guests before it
 * touches their trees. For a daemon whose sandboxes could not be killed.
 */
export function keepForCleanUp(): void {
  keep = true;
}

/**
 * The run that this process belongs to. `npm test` has registered one; without it, as with a plain
 * `vitest run`, a marker file is left from which a later `npm test` finds and removes what a crash
 * left behind. Both ways leave nothing after a good end.
 */
export function testRun(): TestRun {
  current ??= process.env[runVariable] === undefined ? beginRun() : { tempDir: tmpdir(), env: {} };
  return current;
}

function beginRun(): TestRun & { readonly end: () => void } {
  mkdirSync(runningDir, { recursive: true });
  const runId = `vitest-${randomBytes(6).toString('hex')}`;
  const tempDir = mkdtempSync('/var/tmp/sandport-vitest-');
  const markerFile = join(runningDir, `${runId}.json`);
  writeFileSync(markerFile, JSON.stringify({ runId, tempDir, ...identityOf(process.pid) }));
  const end = () => {
    rmSync(tempDir, { recursive: true, force: true });
    rmSync(markerFile, { force: true });
  };
  return { tempDir, env: { [runVariable]: runId, TMPDIR: tempDir }, end };
}
