import { type Filesystem, SandportError } from 'sandport';
import type { RemotePlace } from '../parse/copy-place.ts';
import { remoteTargetKind } from './look-up.ts';
import { nameOf, targetPathOf } from './target.ts';

/** One source within a sandbox, and the path that it gets. */
export interface InsideStep {
  readonly from: string;
  readonly to: string;
  /** Of a symlink that stays one. */
  readonly symlinkTarget?: string | undefined;
}

export interface PlanInsideOptions {
  readonly signal: AbortSignal;
  /** False: a source that is a symlink is taken itself. */
  readonly followSymlinks: boolean;
}

/** Where sources within one sandbox go, as `cp -r` and `mv` decide it; see `targetPathOf`. */
export async function planInside(
  filesystem: Filesystem,
  sources: readonly RemotePlace[],
  to: RemotePlace,
  options: PlanInsideOptions,
): Promise<InsideStep[]> {
  const kind = await remoteTargetKind(filesystem, to.path, options.signal);
  const target = { text: `${to.holder}:${to.path}`, path: to.path, kind };
  const steps: InsideStep[] = [];
  for (const { holder, path: from } of sources) {
    const { isDirectory } = await filesystem.stat(from, options);
    const source = { text: `${holder}:${from}`, path: from, isDirectory };
    const path = targetPathOf(source, target, sources.length === 1);
    // The daemon takes paths without `.` at their end for the same.
    steps.push({ from: nameOf(from) === undefined ? from : from.replace(/\/+$/, ''), to: path });
  }
  return steps;
}

export interface CopyInsideOptions {
  /** False: a file that is there is an error. @default true */
  readonly overwrite?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Copies within one sandbox, without the bytes passing through this machine. A directory that is
 * there is merged with the copied one; symlinks below stay links, special files are left out.
 */
export async function copyInside(
  filesystem: Filesystem,
  steps: readonly InsideStep[],
  { overwrite = true, signal }: CopyInsideOptions,
): Promise<void> {
  const options = { overwrite, signal };
  for (const step of steps) {
    try {
      if (step.symlinkTarget === undefined) {
        await filesystem.copy(step.from, step.to, options);
      } else await filesystem.symlink(step.to, step.symlinkTarget, options);
    } catch (error) {
      const inner = await stepsBelow(filesystem, step, error, signal);
      await copyInside(filesystem, inner, options);
    }
  }
}

/** Copies of what is in a directory, when the copy failed because both sides are directories. */
async function stepsBelow(
  filesystem: Filesystem,
  { from, to }: InsideStep,
  error: unknown,
  signal: AbortSignal,
): Promise<InsideStep[]> {
  if (!(error instanceof SandportError) || !takenCodes.has(error.code)) throw error;
  const [source, target] = await Promise.all(
    [from, to].map((path) => filesystem.stat(path, { followSymlinks: false, signal })),
  );
  if (source?.isDirectory !== true || target?.isDirectory !== true) throw error;
  const entries = await filesystem.list(from, { signal });
  return entries
    .filter(({ type }) => type !== 'other')
    .map(({ path, name, symlinkTarget }) => ({ from: path, to: `${to}/${name}`, symlinkTarget }));
}

const takenCodes = new Set(['already_exists', 'is_directory']);
