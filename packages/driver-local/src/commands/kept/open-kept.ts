import type { DriverContext } from '../../context.ts';
import type { SandboxLayout } from '../../layout.ts';
import { KeptStore } from './kept-store.ts';

/** Opens what is kept of the commands of a sandbox, whose disk is open. */
export function openKept(context: DriverContext, layout: SandboxLayout): Promise<KeptStore> {
  return KeptStore.open({
    directory: layout.commands,
    budget: context.spillBudget,
    oomKills: () => context.cgroup.oomKills(layout.cgroup),
    onTrouble: (what, error) =>
      context.log('warn', what, { directory: layout.directory, error: String(error) }),
  });
}
