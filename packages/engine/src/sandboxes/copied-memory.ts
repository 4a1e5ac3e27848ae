import type { Driver } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { specOf } from './entry.ts';
import type { RememberedSpec } from './network.ts';

/**
 * Whether a fork or a snapshot of the sandbox, as it is at this moment, has its processes.
 * @param wanted undefined: where that can be @throws SandportFault `memory_unavailable`
 */
export function copiesMemory(
  row: SandboxRow,
  wanted: boolean | undefined,
  driver: Pick<Driver, 'memoryIsolations'>,
): boolean {
  if (wanted === false) return false;
  const why = whyNot(row, driver);
  if (why === undefined) return true;
  if (wanted === undefined) return false;
  throw new SandportFault(
    'memory_unavailable',
    `The processes of the sandbox ${row.name ?? row.id} cannot be copied: ${why}.`,
    { sandbox: row.id, isolation: row.isolation },
  );
}

function whyNot(
  { isolation, status, memory, spec }: SandboxRow,
  { memoryIsolations }: Pick<Driver, 'memoryIsolations'>,
): string | undefined {
  if (!memoryIsolations.includes(isolation))
    return `the isolation "${isolation}" does not keep them`;
  const { networkState }: RememberedSpec = specOf({ spec });
  // gVisor cannot write down a connection to elsewhere, and ends while it tries.
  if (networkState === 'attached' && status !== 'hibernated')
    return 'it has a network; hibernate it first';
  if (status === 'failed') return 'it has none, because it failed';
  if (status === 'hibernated' && memory !== true) return 'it was hibernated without them';
  return undefined;
}
