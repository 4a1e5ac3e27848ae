import type { DriverContext } from '../context.ts';
import { killSandbox } from './end-processes.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { ProcessIdentity } from './liveness.ts';

/** From here on the sandbox counts as running, and its death is noticed. */
export function keepWatch(
  context: DriverContext,
  live: LiveSandbox,
  process: ProcessIdentity,
): void {
  const layout = context.layout.sandbox(live.id);
  context.live.set(live.id, live);
  context.liveness.watch(live.id, process, () => {
    const outOfMemory = context.cgroup.oomKills(layout.cgroup) > 0;
    const reason = outOfMemory ? 'memory limit exceeded' : 'init was killed';
    context.log('warn', 'a sandbox died', { sandbox: live.id, reason });
    live.markDead(reason);
    // What it left behind must not run on without its init.
    killSandbox(layout, process).catch((error: unknown) =>
      context.log('error', 'cannot end the rest of a dead sandbox', {
        sandbox: live.id,
        error: String(error),
      }),
    );
  });
}
