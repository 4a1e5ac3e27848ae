import { freezeCgroup, thawCgroup } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import { hibernatedReason } from './hibernate.ts';
import type { LiveSandbox } from './live-sandbox.ts';

/** Stops all processes of a sandbox where they are. Its files are served. Idempotent. */
export async function pauseSandbox(context: DriverContext, held: HeldSandbox): Promise<void> {
  const live = requireProcesses(held);
  if (live.paused) return;
  live.setPaused(true);
  try {
    await freezeCgroup(held.layout.cgroup);
  } catch (error) {
    live.setPaused(false);
    context.liveness.check(held.id);
    requireProcesses(held);
    throw error;
  }
}

/** Lets them go on. Idempotent. */
export async function resumeSandbox(held: HeldSandbox): Promise<void> {
  const live = requireProcesses(held);
  await thawCgroup(held.layout.cgroup);
  live.setPaused(false);
}

/** @throws SandportFault `invalid_state` */
export function requireProcesses(held: HeldSandbox): LiveSandbox {
  if (held.live) return held.live;
  const asleep = held.record.sleep !== undefined;
  const reason = asleep ? hibernatedReason : 'it has no processes';
  throw new SandportFault('invalid_state', `The sandbox is not running: ${reason}.`, {
    sandbox: held.id,
    status: asleep ? 'hibernated' : 'failed',
    reason,
  });
}
