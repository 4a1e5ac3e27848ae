import type { DriverContext } from '../context.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { ProcessIdentity } from './liveness.ts';

/** From here on the sandbox counts as running, and its death is noticed. */
export function keepWatch(
  context: DriverContext,
  held: HeldSandbox,
  live: LiveSandbox,
  process: ProcessIdentity,
): void {
  const { id, layout } = held;
  held.live = live;
  context.liveness.watch(id, process, () => {
    const outOfMemory = context.cgroup.oomKills(layout.cgroup) > 0;
    const reason = outOfMemory ? 'memory limit exceeded' : 'init was killed';
    context.log('warn', 'a sandbox died', { sandbox: id, reason });
    held.live = undefined;
    live.markDead(reason);
    // What it left behind must not run on without its init.
    held.ending = killSandbox(layout, process)
      .then(() => removeRuntimeState(context.layout, id))
      .catch((error: unknown) =>
        context.log('error', 'cannot end the rest of a dead sandbox', {
          sandbox: id,
          error: String(error),
        }),
      );
  });
}
