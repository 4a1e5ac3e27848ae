import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { isAlive, ownIdentity } from './process-identity.mjs';

const readOwner = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

/**
 * Holds a lock file while the work runs, so that two set-ups do not trip over each other. A lock
 * whose owner is dead is taken over; `onWait` is called once when a living owner holds it.
 */
export async function withLock(path, work, { onWait } = {}) {
  let waited = false;
  for (;;) {
    try {
      const fd = openSync(path, 'wx', 0o644);
      writeSync(fd, JSON.stringify(ownIdentity()));
      closeSync(fd);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = readOwner(path);
      if (owner === undefined || !isAlive(owner)) {
        // An owner that is about to write its identity needs a moment.
        if (owner === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
        const again = readOwner(path);
        if (again === undefined || !isAlive(again)) rmSync(path, { force: true });
        continue;
      }
      if (!waited) onWait?.(owner);
      waited = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
