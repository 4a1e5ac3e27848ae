import type { TemplateInfo } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Pool } from './pool.ts';

/**
 * Refuses pools whose sandboxes could use more memory than there is.
 * @throws SandportFault `limit_reached`
 */
export function refuseBeyondMemory(
  pools: readonly Pick<Pool, 'template' | 'size'>[],
  templates: readonly TemplateInfo[],
  memoryBytes: number,
): void {
  let promised = 0;
  for (const { template, size } of pools) {
    const limits = templates.find(({ name }) => name === template)?.limits;
    promised += size * (limits?.memoryBytes ?? 0);
  }
  if (promised <= memoryBytes) return;
  const limit = Math.floor(memoryBytes / 2 ** 20);
  throw new SandportFault(
    'limit_reached',
    `All pools together would promise ${Math.ceil(promised / 2 ** 20)} MiB of memory, and the machine has ${limit}; choose a smaller size.`,
    { resource: 'memory', limit },
  );
}
