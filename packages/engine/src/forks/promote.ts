import {
  type Promote,
  type PromoteResult,
  type SandboxId,
  SandportFault,
} from '@sandport/protocol';
import type { Events } from '../events.ts';
import { mayUse, type Principal } from '../principal.ts';
import type { Entry } from '../sandboxes/entry.ts';
import type { Registry } from '../sandboxes/registry.ts';
import { invalidState } from '../sandboxes/to-object.ts';

export interface PromoteOptions {
  readonly registry: Registry;
  readonly events: Events;
  /** Removes a sandbox. */
  readonly end: (entry: Entry) => Promise<void>;
}

/** Does what {@link Forks.promote} says. */
export async function promote(
  { registry, events, end }: PromoteOptions,
  principal: Principal,
  idOrName: string,
  request: Promote,
): Promise<PromoteResult> {
  const winner = registry.find(principal, idOrName);
  const { row } = winner;
  if (row.status === 'creating' || row.status === 'deleted')
    throw invalidState(row, 'it cannot be promoted');
  const tree = row.forkTree;
  if (tree === undefined) return promotedBefore(registry, principal, winner, request);
  refuseOtherTree(winner, request.tree_id ?? tree);
  registry.change(winner, { forkTree: undefined });
  const siblings = request.cleanup_siblings === true ? childrenOf(registry, principal, tree) : [];
  // All of them are marked as deleted before anybody else has a turn.
  const endings = siblings.map((entry) => end(entry));
  const deleted: SandboxId[] = [];
  const failures: { id: SandboxId; error: string }[] = [];
  for (const [index, ending] of (await Promise.allSettled(endings)).entries()) {
    const id = siblings[index]?.row.id;
    if (id === undefined) continue;
    if (ending.status === 'fulfilled') deleted.push(id);
    else failures.push({ id, error: reasonOf(ending.reason) });
  }
  events.emit(winner.row, 'promoted', { tree_id: tree, deleted });
  return {
    winner: row.id,
    tree_id: tree,
    deleted,
    ...(failures.length === 0 ? {} : { failures }),
  };
}

/** One that is in no tree: nothing is left to do, or it has no siblings that are known. */
function promotedBefore(
  registry: Registry,
  principal: Principal,
  { row }: Entry,
  { tree_id: wanted, cleanup_siblings: cleanUp = false }: Promote,
): PromoteResult {
  if (wanted === undefined && !cleanUp) return { winner: row.id, deleted: [] };
  const before = row.metadata['fork_tree_id'];
  const isSame = before !== undefined && (wanted ?? before) === before;
  if (isSame && childrenOf(registry, principal, before).length === 0)
    return { winner: row.id, tree_id: before, deleted: [] };
  throw new SandportFault(
    'invalid_request',
    `The sandbox ${row.name ?? row.id} is not the child of a fork, or has been promoted before.`,
    { field: 'tree_id' },
  );
}

function refuseOtherTree({ row }: Entry, wanted: string): void {
  if (wanted === row.forkTree) return;
  throw new SandportFault(
    'invalid_request',
    `The sandbox ${row.name ?? row.id} is a child of the tree ${row.forkTree}, not of ${wanted}.`,
    { field: 'tree_id' },
  );
}

const childrenOf = (registry: Registry, principal: Principal, tree: string): Entry[] =>
  registry
    .all()
    .filter(({ row }) => row.forkTree === tree && mayUse(principal, row.namespace))
    .filter(({ row }) => row.status !== 'deleted');

/** What a client may see of it. */
const reasonOf = (error: unknown): string =>
  error instanceof SandportFault ? error.message : 'The daemon met a condition it did not expect.';
