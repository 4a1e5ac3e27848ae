import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freezeCgroup, isAlive, thawCgroup } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { checkpointWithRuntime } from '../runtimes/checkpoint.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import { keepInit } from './image-init.ts';
import { reserveImageSpace } from './image-space.ts';
import { keepWatch } from './keep-watch.ts';
import { imageNameOf, shortReason } from './memory-image.ts';
import { runRuntime, runtimeFor } from './start-processes.ts';

/** Time for an init to look through its processes and let go of its connection. */
const suspendTimeoutMs = 5000;
/** Longest wait for an init whose memory was restored. */
const resumeTimeoutMs = 15_000;

/** The processes have ended, and their memory is in no image: the disk is all there is. */
export class ProcessesLost extends Error {
  override readonly name = 'ProcessesLost';
}

/**
 * Writes the memory of a running `gvisor` sandbox to `imageDir`, which is made, and ends its
 * processes. Nobody is told of a death; commands of this daemon wait for {@link restoreProcesses},
 * or for `held.live.end()`. Until one of the two, the record names the image: after a crash the
 * sandbox is a hibernated one.
 * @param imageDir a path that does not exist, on the disk of the data directory
 * @throws SandportFault `disk_full`, or Error with the reason: the sandbox runs as before;
 * ProcessesLost: it has no processes any more, and no image
 */
export async function suspendProcesses(
  context: DriverContext,
  held: HeldSandbox,
  imageDir: string,
): Promise<void> {
  const { id, layout, live } = held;
  const { process } = held.record;
  if (!live || !process) throw new Error('it has no processes');
  const runtime = runtimeFor(context, held.record);
  const space = await reserveImageSpace(layout, imageDir);
  let begun = false;
  try {
    held.updateRecord({ sleep: { phase: 'falling', image: imageNameOf(layout, imageDir) } });
    context.liveness.unwatch(id);
    if (live.paused) await thawCgroup(layout.cgroup);
    await live.channel.suspend(suspendTimeoutMs);
    mkdirSync(imageDir, { mode: 0o700 });
    keepInit(context, layout, imageDir);
    begun = true;
    await checkpointWithRuntime(runtime, {
      id,
      stateDir: join(context.layout.runDir, runtime.name),
      imageDir,
      log: join(layout.bundle, 'checkpoint.log'),
    });
  } catch (error) {
    rmSync(imageDir, { recursive: true, force: true });
    if (begun) throw await lost(context, held, error);
    live.channel.resume();
    held.noteRecord({ sleep: undefined });
    if (live.paused) await freezeCgroup(layout.cgroup);
    keepWatch(context, held, live, process);
    context.liveness.check(id);
    throw error;
  } finally {
    space[Symbol.dispose]();
  }
  await endRest(context, held);
}

/** A checkpoint that fails ends the sandbox all the same, a moment later. */
async function lost(
  context: DriverContext,
  held: HeldSandbox,
  error: unknown,
): Promise<ProcessesLost> {
  await endRest(context, held);
  const reason = `its memory could not be written: ${shortReason(error)}`;
  held.noteRecord({ sleep: { phase: 'asleep', lostImage: reason } });
  return new ProcessesLost(reason, { cause: error });
}

async function endRest(context: DriverContext, held: HeldSandbox): Promise<void> {
  await killSandbox(held.layout, held.record.process);
  removeRuntimeState(context.layout, held.id);
  held.noteRecord({ process: undefined });
}

/**
 * Gives a sandbox that {@link suspendProcesses} has put away its processes back, in place: its
 * commands go on without loss. The image stays; it must not be used for this sandbox again.
 * @throws SandportFault `create_failed`: the sandbox is dead then, as if by itself
 */
export async function restoreProcesses(
  context: DriverContext,
  held: HeldSandbox,
  imageDir: string,
): Promise<void> {
  const { live } = held;
  if (!live) throw new Error('it was not suspended');
  const runtime = runtimeFor(context, held.record);
  const image = imageNameOf(held.layout, imageDir);
  try {
    live.channel.resume();
    held.updateRecord({ sleep: { phase: 'rising', image } });
    const process = await context.starts.run(() =>
      runRuntime(context, held, runtime, { imageDir }),
    );
    await live.channel.whenConnected(resumeTimeoutMs);
    if (held.kept.awaitsInit) await live.channel.whenListed(resumeTimeoutMs);
    if (!isAlive(process.pid, process.startTime)) throw new Error('it ended at once');
    if (live.paused) await freezeCgroup(held.layout.cgroup);
    held.updateRecord({ process, sleep: undefined });
    keepWatch(context, held, live, process);
  } catch (error) {
    await endRest(context, held);
    held.noteRecord({ sleep: undefined });
    held.live = undefined;
    const reason = `its memory could not be restored: ${shortReason(error)}`;
    live.markDead(reason);
    const message = `The sandbox could not go on: ${reason}.`;
    throw new SandportFault('create_failed', message, { reason }, { cause: error });
  }
}
