import { rmSync } from 'node:fs';
import type { SandboxSpec, WokenSandbox } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { CreateStep, DriverContext } from '../context.ts';
import { findUser } from '../templates/passwd.ts';
import { createFault } from './create.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import { hasImage, imageDirOf, shortReason } from './memory-image.ts';
import { startProcesses } from './start-processes.ts';

export interface WakeOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives a sandbox its processes back: from its memory image, or by a new start from the disk. An
 * image is deleted once processes have come from it, or have been started without it.
 * @throws SandportFault `create_failed`, `disk_full`: the sandbox is as before
 */
export async function wakeSandbox(
  context: DriverContext,
  held: HeldSandbox,
  spec: SandboxSpec,
  { signal }: WakeOptions = {},
): Promise<WokenSandbox> {
  if (held.live) return { sandbox: held.live, memory: true };
  await held.ending;
  signal?.throwIfAborted();
  adoptSpec(held, spec);
  const { sleep } = held.record;
  const restored =
    sleep?.image === undefined ? undefined : await restore(context, held, sleep.image);
  if (restored !== undefined && typeof restored !== 'string')
    return { sandbox: restored, memory: true };
  const fallback = restored ?? sleep?.lostImage;
  const before = held.record.sleep;
  try {
    const sandbox = await startProcesses(context, held, {
      signal,
      onStep: (step) => announce(context, held, step),
    });
    rmSync(held.layout.memory, { recursive: true, force: true });
    return { sandbox, memory: false, fallback };
  } catch (error) {
    held.updateRecord({ sleep: before });
    throw createFault(error, signal);
  }
}

/** From here on the sandbox may have processes: whoever comes after a crash must know. */
function announce(context: DriverContext, held: HeldSandbox, step: CreateStep): void {
  if (step === 'start') held.updateRecord({ sleep: { ...held.record.sleep, phase: 'rising' } });
  context.onStep?.(step);
}

/** The sandbox with its memory, or why it could not be restored. */
async function restore(
  context: DriverContext,
  held: HeldSandbox,
  image: string,
): Promise<LiveSandbox | string> {
  const { sleep } = held.record;
  const imageDir = imageDirOf(held.layout, image);
  if (!hasImage(held.layout, image))
    return forget(held, imageDir, 'the image of its memory is missing');
  let ran = false;
  try {
    // It is not stopped half-way: processes that have run once must go on, or be forgotten.
    const live = await startProcesses(context, held, {
      imageDir,
      onStep: (step) => {
        ran ||= step === 'connect';
        announce(context, held, step);
      },
    });
    rmSync(imageDir, { recursive: true, force: true });
    return live;
  } catch (error) {
    const reason = `its memory could not be restored: ${shortReason(error)}`;
    context.log('warn', 'a sandbox wakes without its memory', { sandbox: held.id, reason });
    if (ran) return forget(held, imageDir, reason);
    held.updateRecord({ sleep });
    return reason;
  }
}

/** The image is of no use any more. */
function forget(held: HeldSandbox, imageDir: string, reason: string): string {
  held.updateRecord({ sleep: { phase: 'asleep', lostImage: reason } });
  rmSync(imageDir, { recursive: true, force: true });
  return reason;
}

/** What the sandbox is asked to be may have changed while it slept. */
function adoptSpec(held: HeldSandbox, spec: SandboxSpec): void {
  const owner = findUser(held.template.passwd, spec.user);
  if (owner === undefined) {
    const reason = `its template has no user ${spec.user}`;
    throw new SandportFault('create_failed', `The sandbox was not woken: ${reason}.`, { reason });
  }
  held.spec = spec;
  held.root.setOwner(owner);
}
