import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningDir } from './paths.mjs';
import { isAlive, ownIdentity } from './process-identity.mjs';

/** Variable by which every process that a run starts can be told from all others. */
export const runVariable = 'SANDPORT_RUN_ID';

/**
 * Registers a run of the demo, the tests or the benchmarks: a temporary directory on a real disk
 * that all its data directories lie in, an id that its processes carry in their environment, and a
 * marker file by which a later run finds what a crash left behind.
 *
 * `env` makes children use both; `end()` removes the directory and the marker.
 */
export function beginRun(kind) {
  mkdirSync(runningDir, { recursive: true });
  const runId = `${kind}-${randomBytes(6).toString('hex')}`;
  const tempDir = mkdtempSync(`/var/tmp/sandport-${kind}-`);
  const markerFile = join(runningDir, `${runId}.json`);
  const marker = { runId, tempDir, ...ownIdentity() };
  writeFileSync(markerFile, JSON.stringify(marker));
  return {
    ...marker,
    // Without PYTHONDONTWRITEBYTECODE a run as root would leave root's files in a user's clone.
    env: { [runVariable]: runId, TMPDIR: tempDir, PYTHONDONTWRITEBYTECODE: '1' },
    end() {
      rmSync(tempDir, { recursive: true, force: true });
      rmSync(markerFile, { force: true });
    },
  };
}

/** Markers whose process is gone: {path, runId, tempDir}. Unreadable markers are removed. */
export function deadRuns() {
  let names;
  try {
    names = readdirSync(runningDir);
  } catch {
    return [];
  }
  const dead = [];
  for (const name of names) {
    const path = join(runningDir, name);
    try {
      const marker = JSON.parse(readFileSync(path, 'utf8'));
      if (typeof marker.tempDir === 'string' && !isAlive(marker)) dead.push({ ...marker, path });
    } catch {
      rmSync(path, { force: true });
    }
  }
  return dead;
}
