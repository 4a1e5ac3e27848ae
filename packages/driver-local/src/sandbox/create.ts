import type { SandboxSpec } from '@sandport/driver';
import { keepJoinsQuick } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { CreateStep, DriverContext } from '../context.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import { type DiskOrigin, prepareDisk } from './prepare-disk.ts';
import { runtimeFor, startProcesses } from './start-processes.ts';
import { Undo } from './undo.ts';

export interface CreateOptions {
  readonly signal?: AbortSignal | undefined;
  /** What its disk begins with. */
  readonly origin?: DiskOrigin | undefined;
  /** Memory image that its processes come from, of the origin's init. */
  readonly imageDir?: string | undefined;
}

/**
 * Makes a sandbox and resolves when its init takes commands. When a step fails, everything done
 * before it is undone, last first.
 */
export async function createSandbox(
  context: DriverContext,
  spec: SandboxSpec,
  { signal, origin, imageDir }: CreateOptions = {},
): Promise<LiveSandbox> {
  runtimeFor(context, spec);
  // While the disk is made, the kernel gets ready for what comes after it.
  using _ = keepJoinsQuick();
  const undo = new Undo((error) =>
    context.log('error', 'a step of a failed create could not be undone', {
      sandbox: spec.id,
      error: String(error),
    }),
  );
  const onStep = (name: CreateStep) => {
    signal?.throwIfAborted();
    context.onStep?.(name);
  };
  try {
    const held = await prepareDisk(context, spec, undo, onStep, origin);
    const live = await startProcesses(context, held, { signal, onStep, imageDir });
    context.held.set(spec.id, held);
    return live;
  } catch (error) {
    await undo.run();
    throw createFault(error, signal);
  }
}

/** What is told of a start that failed; errors of its steps are as they were thrown. */
export function createFault(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof SandportFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/ENOSPC|EDQUOT|no space left/i.test(reason))
    return new SandportFault('disk_full', 'The disk is full; the sandbox was not started.');
  return new SandportFault(
    'create_failed',
    `The sandbox could not be started: ${reason}.`,
    { reason },
    { cause: error },
  );
}
