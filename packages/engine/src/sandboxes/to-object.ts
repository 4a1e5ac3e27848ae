import { type SandboxObject, SandportFault } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { specOf } from './entry.ts';
import { networkObject } from './network.ts';

/** A sandbox as clients see it. */
export function toObject(row: SandboxRow): SandboxObject {
  const spec = specOf(row);
  const { limits, volumes, user, workdir, env } = spec;
  const memoryMb = Math.round(limits.memoryBytes / 2 ** 20);
  return {
    id: row.id,
    template: row.template,
    isolation: row.isolation,
    namespace: row.namespace,
    ...(row.name === undefined ? {} : { name: row.name }),
    status: row.status,
    ...(row.statusReason === undefined ? {} : { status_reason: row.statusReason }),
    ...(row.memory === undefined ? {} : { memory: row.memory }),
    metadata: { ...row.metadata },
    env: { ...env },
    resources: {
      cpu: limits.cpu,
      memory_mb: memoryMb,
      ...(limits.diskBytes === undefined
        ? {}
        : { disk_mb: Math.round(limits.diskBytes / 2 ** 20) }),
      pids: limits.pids,
    },
    cpu: limits.cpu,
    memory_mb: memoryMb,
    volumes: [...volumes],
    network: networkObject(spec),
    user,
    workdir,
    ttl_seconds: row.ttlSeconds,
    persistent: row.persistent,
    idle_timeout_seconds: row.idleTimeoutSeconds,
    idle_action: row.idleAction,
    created_at: row.createdAt.toISOString(),
    ...(row.expiresAt === undefined ? {} : { expires_at: row.expiresAt.toISOString() }),
    ...(row.parent === undefined ? {} : { parent_id: row.parent }),
    ...(row.forkTree === undefined ? {} : { fork_tree_id: row.forkTree }),
    ...(row.snapshot === undefined ? {} : { from_snapshot: row.snapshot }),
    boot_mode: row.bootMode,
    boot_ms: row.bootMs,
  };
}

/** The answer to a request that the state of the sandbox does not allow. */
export function invalidState(row: SandboxRow, wanted: string): SandportFault {
  const because = row.statusReason === undefined ? '' : ` (${row.statusReason})`;
  return new SandportFault(
    'invalid_state',
    `The sandbox ${row.name ?? row.id} is ${row.status}${because}; ${wanted}.`,
    { sandbox: row.id, status: row.status, reason: row.statusReason },
  );
}
