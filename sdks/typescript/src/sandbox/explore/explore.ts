import { maxForkChildren } from '@sandport/protocol';
import type { ForkTree } from '../fork-options.ts';
import type { Sandbox } from '../sandbox.ts';
import {
  type BranchOutcome,
  type Candidate,
  ExploreError,
  type ExploreOptions,
  type ExploreResult,
} from './candidate.ts';
import { runBranch } from './run-branch.ts';

const defaultTtlSeconds = 600;
const defaultConcurrency = 4;

/** Tries candidates in copies of a sandbox; see `Sandbox.explore`. */
export async function explore<Value>(
  parent: Sandbox,
  given: readonly (string | Candidate<Value>)[],
  options: ExploreOptions<Value>,
): Promise<ExploreResult<Value>> {
  const candidates = given.map((each) =>
    typeof each === 'string' ? { label: each, cmd: each } : each,
  );
  checkCount(candidates.length);
  const { signal, memory, ttlSeconds = defaultTtlSeconds } = options;
  const metadata = { explore: '1', explore_ttl: String(ttlSeconds) };
  const count = candidates.length;
  const tree = await parent.forkTree({ count, memory, metadata, signal });
  let winner: Sandbox | undefined;
  try {
    const ttl = await limitLives(tree, ttlSeconds, signal);
    const outcomes = await runAll(tree, candidates, options);
    const winnerOutcome = pick(outcomes, options);
    ({ sandbox: winner } = winnerOutcome);
    if (ttl !== undefined) await winner.setTtl(ttl, { signal });
    const errors = [...notMade(tree, candidates), ...(await promote(winner, tree, options))];
    const losers = tree.children.filter(({ id }) => id !== winner?.id);
    const reaped = options.cleanupLosers === false ? noneReaped : await killAll(losers);
    return {
      winner,
      winnerOutcome,
      outcomes: sorted(outcomes, options.select),
      treeId: tree.treeId,
      ...reaped,
      errors,
    };
  } catch (error) {
    // No copy outlives a failure, nor an abort.
    await killAll(tree.children);
    throw error;
  }
}

function checkCount(count: number): void {
  if (count === 0) throw new ExploreError('There is no candidate to explore.');
  if (count <= maxForkChildren) return;
  throw new ExploreError(
    `${count} candidates are more than the ${maxForkChildren} copies that one fork makes; explore them in rounds.`,
  );
}

/**
 * Sees to it that copies go away even when this program ends in the middle.
 * @returns the time to live that a winner gets back; undefined when nothing was changed
 */
async function limitLives(
  { children }: ForkTree,
  ttlSeconds: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (ttlSeconds === 0) return undefined;
  const [before] = children;
  const ttl = before?.info.ttl_seconds ?? 0;
  const shorter = ttl === 0 ? ttlSeconds : Math.min(ttl, ttlSeconds);
  await Promise.all(children.map((child) => child.setTtl(shorter, { signal })));
  return ttl;
}

/** Outcomes in the order of the candidates. */
async function runAll<Value>(
  { children }: ForkTree,
  candidates: readonly Candidate<Value>[],
  options: ExploreOptions<Value>,
): Promise<BranchOutcome<Value>[]> {
  const { maxConcurrency = defaultConcurrency, captureFiles = false, signal } = options;
  const capturePath =
    captureFiles === true ? '/' : captureFiles === false ? undefined : captureFiles;
  const outcomes = new Map<number, BranchOutcome<Value>>();
  const waiting = children.entries();
  const work = async () => {
    for (const [index, sandbox] of waiting) {
      signal?.throwIfAborted();
      const candidate = candidates[index];
      if (candidate === undefined) return;
      const ran = await runBranch(sandbox, candidate, { capturePath, signal });
      const outcome = await score(ran, candidate, options);
      outcomes.set(index, outcome);
      options.onOutcome?.(outcome);
    }
  };
  const workers = Array.from({ length: Math.max(1, maxConcurrency) }, work);
  // All are at rest before copies are deleted.
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return children.flatMap((_, index) => outcomes.get(index) ?? []);
}

async function score<Value>(
  outcome: BranchOutcome<Value>,
  candidate: Candidate<Value>,
  { scoreFn }: ExploreOptions<Value>,
): Promise<BranchOutcome<Value>> {
  if (candidate.score !== undefined) return { ...outcome, score: candidate.score };
  if (scoreFn === undefined) return { ...outcome, score: outcome.ok ? 1 : 0 };
  try {
    return { ...outcome, score: await scoreFn(outcome.sandbox, outcome) };
  } catch (error) {
    return { ...outcome, error: outcome.error ?? `It could not be scored: ${String(error)}` };
  }
}

/** @throws ExploreError */
function pick<Value>(
  outcomes: BranchOutcome<Value>[],
  { select, requireSuccess = true }: ExploreOptions<Value>,
): BranchOutcome<Value> {
  const viable = outcomes.filter(({ ok }) => ok || !requireSuccess);
  const picked =
    typeof select === 'function' && viable.length > 0
      ? select(viable)
      : sorted(viable, select).at(0);
  if (picked !== undefined) return picked;
  const ends = outcomes.map(({ label, error, exitCode, timedOut }) => {
    const end = timedOut ? 'ran out of time' : `ended with ${exitCode}`;
    return `${JSON.stringify(label.slice(0, 80))}: ${error ?? end}`;
  });
  throw new ExploreError(`None of the candidates can win: ${ends.join('; ')}.`, outcomes);
}

/** The best one first. */
function sorted<Value>(
  outcomes: readonly BranchOutcome<Value>[],
  select: ExploreOptions<Value>['select'],
): BranchOutcome<Value>[] {
  const sign = select === 'min' ? 1 : -1;
  return outcomes.toSorted(
    (one, other) => sign * (one.score - other.score) || one.durationMs - other.durationMs,
  );
}

/** Candidates that got no copy. */
function notMade(
  { children, errors }: ForkTree,
  candidates: readonly { readonly label: string }[],
): string[] {
  const without = candidates.slice(children.length);
  if (without.length === 0) return [];
  const why = [...new Set(errors.map(({ error }) => error))].join(' ');
  return without.map(({ label }) => `${label} was not tried: no copy could be made. ${why}`);
}

async function promote(
  winner: Sandbox,
  { treeId }: ForkTree,
  { promoteWinner = true, signal }: Pick<ExploreOptions, 'promoteWinner' | 'signal'>,
): Promise<string[]> {
  if (!promoteWinner) return [];
  try {
    await winner.promote({ treeId, signal });
    return [];
  } catch (error) {
    signal?.throwIfAborted();
    return [`The winner could not be promoted: ${String(error)}`];
  }
}

const noneReaped = { reaped: [], reapFailures: {} };

/** Deletes copies, whatever becomes of each. */
async function killAll(
  sandboxes: readonly Sandbox[],
): Promise<Pick<ExploreResult, 'reaped' | 'reapFailures'>> {
  const ends = await Promise.allSettled(sandboxes.map((sandbox) => sandbox.kill()));
  const reaped: string[] = [];
  const reapFailures: Record<string, string> = {};
  for (const [index, { id }] of sandboxes.entries()) {
    const end = ends[index];
    if (end?.status === 'rejected') reapFailures[id] = String(end.reason);
    else reaped.push(id);
  }
  return { reaped, reapFailures };
}
