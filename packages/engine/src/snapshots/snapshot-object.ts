import type { SnapshotObject } from '@sandport/protocol';
import type { SnapshotRow } from '@sandport/state';
import { snapshotSpecOf } from './used-snapshot.ts';

/** A snapshot as clients see it. */
export function snapshotObject(row: SnapshotRow): SnapshotObject {
  const { template, isolation, volumes } = snapshotSpecOf(row).sandbox;
  return {
    id: row.id,
    ...(row.name === undefined ? {} : { name: row.name }),
    namespace: row.namespace,
    sandbox_id: row.sandbox,
    template,
    isolation,
    memory: row.memory,
    size_bytes: row.sizeBytes,
    volumes: [...volumes],
    metadata: { ...row.metadata },
    pause_ms: row.pauseMs,
    created_at: row.createdAt.toISOString(),
  };
}
