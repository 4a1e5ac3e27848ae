import type { CreateOptions, SandboxSpec } from '@sandport/driver';
import type { DriverContext } from '../context.ts';
import { createSandbox } from '../sandbox/create.ts';
import type { LiveSandbox } from '../sandbox/live-sandbox.ts';
import { volumeGuestPath } from '../sandbox/volume-mounts.ts';
import type { SnapshotOrigin } from './snapshot-store.ts';

export interface CreateFromOptions extends Pick<CreateOptions, 'onFallback'> {
  readonly memory: boolean;
  readonly signal: AbortSignal;
}

/**
 * Makes a sandbox with the disk of a snapshot, and with its processes where it has some, they are
 * asked for, and they find the volumes where they left them; else with new ones.
 * @throws as createSandbox
 */
export async function createFromSnapshot(
  context: DriverContext,
  spec: SandboxSpec,
  origin: SnapshotOrigin,
  options: CreateFromOptions,
): Promise<LiveSandbox> {
  const { signal } = options;
  const image = options.memory ? usableImage(spec, origin) : undefined;
  if (image !== undefined) {
    try {
      return await createSandbox(context, spec, { origin, imageDir: image, signal });
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      context.log('warn', 'a sandbox begins without the memory of its snapshot', {
        sandbox: spec.id,
        reason,
      });
      options.onFallback?.(`its memory could not be restored: ${reason.split('\n', 1)[0]}`);
    }
  }
  return createSandbox(context, spec, { origin: { ...origin, token: undefined }, signal });
}

/** The memory image of a snapshot, where the processes in it fit into the sandbox. */
export function usableImage(spec: SandboxSpec, origin: SnapshotOrigin): string | undefined {
  if (origin.memory === undefined || spec.isolation !== 'gvisor') return undefined;
  const paths = spec.volumes.map(volumeGuestPath).toSorted();
  const expected = origin.memory.mountPaths.toSorted();
  const isSame =
    paths.length === expected.length && paths.every((path, at) => path === expected[at]);
  return isSame ? origin.memory.imageDir : undefined;
}
