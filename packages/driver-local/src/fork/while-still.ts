import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { freezeCgroup, thawCgroup } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { ProcessesLost, restoreProcesses, suspendProcesses } from '../sandbox/checkpoint.ts';
import type { HeldSandbox } from '../sandbox/held-sandbox.ts';
import { imageDirOf, takenImagePrefix } from '../sandbox/memory-image.ts';
import type { LiveSandbox } from '../sandbox/live-sandbox.ts';
import { linkImage } from '../snapshots/image-files.ts';

export interface WhileStillOptions<T> {
  /** Directory that is made and gets the memory of the processes; without it the disk alone counts. */
  readonly imageDir?: string | undefined;
  /** Takes what is to be had of the disk. */
  readonly take: () => Promise<T>;
}

export interface Taken<T> {
  readonly taken: T;
  /** How long the sandbox stood still, in milliseconds. */
  readonly pauseMs: number;
}

/**
 * Lets a sandbox stand still, takes a state of it in which disk and memory belong together, and lets
 * it go on, whatever comes of that. One without processes stands still anyway.
 * @throws SandportFault `memory_unavailable`; whatever `take` throws
 */
export async function whileStill<T>(
  context: DriverContext,
  held: HeldSandbox,
  { imageDir, take }: WhileStillOptions<T>,
): Promise<Taken<T>> {
  const { live } = held;
  if (imageDir !== undefined) refuseWithoutMemory(held);
  if (live === undefined) {
    const image = held.record.sleep?.image;
    if (imageDir !== undefined && image !== undefined)
      linkImage(imageDirOf(held.layout, image), imageDir);
    return { taken: await take(), pauseMs: 0 };
  }
  const beganMs = performance.now();
  const pauseMs = () => (live.paused ? 0 : Math.round((performance.now() - beganMs) * 10) / 10);
  if (imageDir !== undefined) {
    const taken = await whileSuspended(context, held, live, imageDir, take);
    return { taken, pauseMs: pauseMs() };
  }
  const taken = live.paused ? await take() : await whileFrozen(held, live, take);
  return { taken, pauseMs: pauseMs() };
}

async function whileFrozen<T>(
  held: HeldSandbox,
  live: LiveSandbox,
  take: () => Promise<T>,
): Promise<T> {
  const { cgroup } = held.layout;
  // Whoever comes after a crash must know that nobody has asked for a pause.
  held.updateRecord({ still: true });
  live.channel.setQuiet(true);
  try {
    await freezeCgroup(cgroup);
    await held.kept.flush();
    return await take();
  } finally {
    // Fails when the sandbox has died or was removed: then nothing is left that stands still.
    await thawCgroup(cgroup).catch(() => {});
    live.channel.setQuiet(false);
    held.updateRecord({ still: undefined });
  }
}

async function whileSuspended<T>(
  context: DriverContext,
  held: HeldSandbox,
  live: LiveSandbox,
  imageDir: string,
  take: () => Promise<T>,
): Promise<T> {
  const name = `${takenImagePrefix}${randomBytes(6).toString('hex')}`;
  const image = join(held.layout.directory, name);
  try {
    await suspend(context, held, live, image);
    try {
      linkImage(image, imageDir);
      await held.kept.flush();
      return await take();
    } finally {
      await restoreProcesses(context, held, image);
    }
  } finally {
    rmSync(image, { recursive: true, force: true });
  }
}

async function suspend(
  context: DriverContext,
  held: HeldSandbox,
  live: LiveSandbox,
  image: string,
): Promise<void> {
  try {
    await suspendProcesses(context, held, image);
  } catch (error) {
    if (error instanceof ProcessesLost) {
      held.live = undefined;
      held.updateRecord({ sleep: undefined });
      live.markDead(error.message);
    }
    throw error;
  }
}

function refuseWithoutMemory({ id, record, live }: HeldSandbox): void {
  const { isolation, sleep } = record;
  if (isolation === 'gvisor' && (live !== undefined || sleep?.image !== undefined)) return;
  const reason =
    isolation === 'gvisor' ? 'it has no processes' : `the isolation ${isolation} cannot keep it`;
  throw new SandportFault('memory_unavailable', `The sandbox has no memory to take: ${reason}.`, {
    sandbox: id,
    isolation,
  });
}
