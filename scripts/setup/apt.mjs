import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { logsDir } from '../lib/paths.mjs';
import { ensureRootRights, rootCommand } from '../lib/privilege.mjs';
import { run } from '../lib/run.mjs';

const lockWaitMs = 10 * 60_000;
const retryMs = 2_000;
const lockHeld = /Could not get lock|Unable to lock|is another process using it/i;
const interrupted = /dpkg was interrupted|dpkg --configure -a/i;

/**
 * Runs apt-get without questions. Waits while another program holds apt's lock, and finishes an
 * interrupted installation first. Resolves to {ok, tail}; throws only when root cannot be had or
 * the lock stays held.
 */
export async function aptGet(args, { say = () => {} } = {}) {
  await ensureRootRights('Installing Debian packages');
  const base = ['--yes', '-o', 'DPkg::Lock::Timeout=60', '-o', 'Acquire::Retries=2'];
  const deadline = Date.now() + lockWaitMs;
  let mended = false;
  for (;;) {
    const result = await asRoot('apt-get', [...base, ...args], say);
    const output = result.tail.join('\n');
    if (result.code === 0) return { ok: true, tail: result.tail };
    if (lockHeld.test(output)) {
      if (Date.now() > deadline) {
        throw new Failure(
          'Another program has held the lock of the package manager for ten minutes: wait for it or end it, then try again.',
          { output: result.tail.slice(-3) },
        );
      }
      say('another program is installing packages; waiting for it');
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    } else if (interrupted.test(output) && !mended) {
      mended = true;
      say('finishing an interrupted installation');
      await asRoot('dpkg', ['--configure', '-a'], say);
    } else {
      return { ok: false, tail: result.tail };
    }
  }
}

function asRoot(command, args, say) {
  const elevated = rootCommand(command, args, { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' });
  return run(elevated.command, elevated.args, {
    env: elevated.env,
    logFile: join(logsDir, 'debian-packages.log'),
    onLine: say,
  });
}
