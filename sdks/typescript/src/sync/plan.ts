import { ConflictError } from '../errors/api-errors.ts';
import type { IsIgnored } from '../tree/ignore-rules.ts';
import type { SyncEntry } from './sync-entry.ts';
import type { SyncAction } from './sync-options.ts';

/** What is to be done so that the target has what the source has. */
export interface SyncPlan {
  readonly actions: readonly SyncAction[];
  /** Entries to send, parents before children. */
  readonly send: ReadonlySet<string>;
  /** Directories that only need their time again, because something in them changes. */
  readonly touched: ReadonlySet<string>;
  /** Entries to remove first, each with all below it. */
  readonly remove: readonly string[];
  readonly unchanged: number;
  readonly bytes: number;
}

export interface PlanOptions {
  readonly delete: boolean;
  readonly isIgnored: IsIgnored;
  /** Entries of the target that are not removed, and so neither is what is above them. */
  readonly protectedPaths: readonly string[];
  /** True when two files of the same length have the same contents. */
  readonly sameContents: (source: SyncEntry, target: SyncEntry) => boolean | Promise<boolean>;
}

/**
 * Compares two trees.
 * @param source in tree order
 * @param target is used up
 * @throws ConflictError when a directory would have to make room and may not be removed
 */
export async function planSync(
  source: Iterable<SyncEntry>,
  target: Map<string, SyncEntry>,
  options: PlanOptions,
): Promise<SyncPlan> {
  const actions: SyncAction[] = [];
  const send = new Set<string>();
  const replaced: SyncEntry[] = [];
  let unchanged = 0;
  let bytes = 0;
  for (const entry of source) {
    const there = target.get(entry.path);
    target.delete(entry.path);
    const action = await actionFor(entry, there, options);
    if (action === undefined) {
      unchanged += 1;
      continue;
    }
    if (action === 'replaced' && there !== undefined) replaced.push(there);
    const sent = entry.type === 'file' ? entry.sizeBytes : 0;
    bytes += sent;
    send.add(entry.path);
    actions.push({ action, path: entry.path, type: entry.type, bytes: sent });
  }
  const removals = planRemovals(replaced, target, options);
  actions.push(...removals.actions);
  const changed = [...send, ...removals.actions.map(({ path }) => path)];
  return {
    actions,
    send,
    touched: parentsOf(changed, send),
    remove: removals.remove,
    unchanged,
    bytes,
  };
}

async function actionFor(
  source: SyncEntry,
  target: SyncEntry | undefined,
  { sameContents }: PlanOptions,
): Promise<'created' | 'updated' | 'replaced' | undefined> {
  if (target === undefined) return 'created';
  if (target.type !== source.type) {
    // A file and a symlink make room for each other by themselves.
    const isSwap = isLeaf(source) && isLeaf(target);
    return isSwap ? 'updated' : 'replaced';
  }
  if (source.type === 'symlink')
    return source.linkTarget === target.linkTarget ? undefined : 'updated';
  if (source.mode !== target.mode) return 'updated';
  if (source.type === 'directory') return undefined;
  if (source.sizeBytes !== target.sizeBytes) return 'updated';
  const same = sameContents(source, target);
  return (typeof same === 'boolean' ? same : await same) ? undefined : 'updated';
}

const isLeaf = ({ type }: SyncEntry) => type === 'file' || type === 'symlink';

/** What only the target has, and what stands in the way. */
function planRemovals(
  replaced: readonly SyncEntry[],
  leftover: ReadonlyMap<string, SyncEntry>,
  options: PlanOptions,
): { remove: string[]; actions: SyncAction[] } {
  const kept = new Set<string>();
  const keep = (path: string) => {
    kept.add(path);
    for (const parent of ancestors(path)) kept.add(parent);
  };
  options.protectedPaths.forEach(keep);
  for (const { path, type } of leftover.values())
    if (options.isIgnored(path, type === 'directory')) keep(path);
  for (const { path, type } of replaced) {
    if (type === 'directory' && (!options.delete || kept.has(path))) throw inTheWay(path);
  }
  const gone = new Set(replaced.map(({ path }) => path));
  const remove = [...gone];
  const actions: SyncAction[] = [];
  for (const { path, type } of leftover.values()) {
    if (kept.has(path)) continue;
    const withParent = ancestors(path).some((parent) => gone.has(parent));
    if (!withParent && !options.delete) continue;
    gone.add(path);
    if (!withParent) remove.push(path);
    if (options.delete) actions.push({ action: 'deleted', path, type, bytes: 0 });
  }
  return { remove, actions };
}

const inTheWay = (path: string) =>
  new ConflictError(
    `${path} is a directory on one side and something else on the other. Remove it, or sync with \`delete\`.`,
    { code: 'already_exists', details: { path } },
  );

/** Directories above changed entries that are not sent themselves. */
function parentsOf(changed: readonly string[], send: ReadonlySet<string>): Set<string> {
  const parents = new Set<string>();
  for (const path of changed) {
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? '' : path.slice(0, slash);
    if (parent !== '' && !send.has(parent)) parents.add(parent);
  }
  return parents;
}

/** Paths of the directories above an entry, the nearest first. */
export function ancestors(path: string): string[] {
  const found: string[] = [];
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
    found.push(path.slice(0, slash));
  return found;
}
