import type { Hibernation, StoppedSandbox } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { ProcessesLost, suspendProcesses } from './checkpoint.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import { removeRunFiles } from './start-processes.ts';

export type Hibernated = StoppedSandbox & { readonly hibernation: Hibernation };

/** What is told of a sandbox that sleeps. */
export const hibernatedReason = 'it is hibernated';

/**
 * Ends all processes of a sandbox, under `gvisor` after their memory was written next to its disk.
 * The disk stays mounted, and its files are served.
 * @throws SandportFault `invalid_state`, `disk_full`, `hibernate_failed`: it runs as before
 */
export async function hibernateSandbox(
  context: DriverContext,
  held: HeldSandbox,
): Promise<Hibernated> {
  const { live } = held;
  if (!live) return alreadyHibernated(held);
  const lostImage =
    held.record.isolation === 'gvisor'
      ? await suspend(context, held)
      : await endProcesses(context, held, live);
  held.live = undefined;
  await live.end({ status: 'hibernated', reason: hibernatedReason });
  const image = lostImage === undefined ? held.record.sleep?.image : undefined;
  if (image === undefined) await held.kept.processesGone();
  await held.kept.flush();
  held.noteRecord({ sleep: { phase: 'asleep', image, lostImage } });
  removeRunFiles(held);
  return asHibernated(held);
}

/** What the next start of the sandbox will find. */
export function asHibernated(held: HeldSandbox): Hibernated {
  const memory = held.record.sleep?.image !== undefined;
  return {
    id: held.id,
    reason: hibernatedReason,
    hibernation: { memory },
    get commands() {
      return held.kept;
    },
    // Those of its disk, also when that was mounted anew.
    get files() {
      return held.root.files;
    },
  };
}

/** Writes the memory. Returns why there is none although the processes have ended. */
async function suspend(context: DriverContext, held: HeldSandbox): Promise<string | undefined> {
  try {
    await suspendProcesses(context, held, held.layout.memory);
    return undefined;
  } catch (error) {
    if (error instanceof ProcessesLost) {
      const { message: reason } = error;
      context.log('warn', 'a sandbox hibernates without memory', { sandbox: held.id, reason });
      return reason;
    }
    if (error instanceof SandportFault) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SandportFault(
      'hibernate_failed',
      `The sandbox was not hibernated: ${reason}.`,
      { sandbox: held.id, reason },
      { cause: error },
    );
  }
}

async function endProcesses(
  context: DriverContext,
  held: HeldSandbox,
  live: LiveSandbox,
): Promise<undefined> {
  held.updateRecord({ sleep: { phase: 'falling' } });
  context.liveness.unwatch(held.id);
  await live.end({ status: 'hibernated', reason: hibernatedReason });
  await killSandbox(held.layout, held.record.process);
  removeRuntimeState(context.layout, held.id);
  held.noteRecord({ process: undefined });
}

function alreadyHibernated(held: HeldSandbox): Hibernated {
  if (held.record.sleep !== undefined) return asHibernated(held);
  const reason = 'it has no processes';
  throw new SandportFault('invalid_state', `The sandbox cannot be hibernated: ${reason}.`, {
    sandbox: held.id,
    status: 'failed',
    reason,
  });
}
