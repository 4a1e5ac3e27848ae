import { SandportFault } from '@sandport/protocol';
import type { QuotaRow } from '@sandport/state';
import type { Promised } from './promised.ts';

/**
 * Refuses what a namespace may not have besides what it has. Something that takes no more of a
 * resource is allowed even where there is too much of it already.
 * @throws SandportFault `limit_reached` that names the resource
 */
export function refuseBeyond(quota: QuotaRow, has: Promised, more: Promised): void {
  const { namespace, maxSandboxes, maxMemoryMb, maxDiskMb } = quota;
  const refuse = (resource: string, limit: number, sentence: string): void => {
    throw new SandportFault('limit_reached', sentence, { namespace, resource, limit });
  };
  if (isBeyond(has.sandboxes, more.sandboxes, maxSandboxes))
    refuse(
      'sandboxes',
      maxSandboxes,
      `The namespace "${namespace}" may have ${maxSandboxes} sandboxes, and has ${has.sandboxes}.`,
    );
  const shares = [
    ['memory', has.memoryBytes, more.memoryBytes, maxMemoryMb],
    ['disk', has.diskBytes, more.diskBytes, maxDiskMb],
  ] as const;
  for (const [resource, hasBytes, moreBytes, maxMb] of shares)
    if (isBeyond(mib(hasBytes), mib(moreBytes), maxMb))
      refuse(
        resource,
        maxMb,
        `The namespace "${namespace}" may promise ${maxMb} MiB of ${resource}: ${mib(hasBytes)} are promised, and ${mib(moreBytes)} more were asked for.`,
      );
}

function isBeyond(has: number, more: number, limit: number | undefined): limit is number {
  return limit !== undefined && more > 0 && has + more > limit;
}

const mib = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
