import { randomUUID } from 'node:crypto';
import type { SandboxSpec } from '@sandport/driver';
import type { SandboxId } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { expiryOf } from '../sandboxes/changes.ts';
import { specOf } from '../sandboxes/entry.ts';
import { hostnameOf } from '../sandboxes/new-row.ts';

/** What the children of one fork have in common. */
export interface Litter {
  /** Their fork tree. */
  readonly tree: string;
  /** Labels over those of the parent. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The row of a child: all of the parent's but its id and name, and its time to live begins anew. */
export function childRow(parent: SandboxRow, { tree, metadata }: Litter): SandboxRow {
  const id = randomUUID() as SandboxId;
  const createdAt = new Date();
  const spec: SandboxSpec = { ...specOf(parent), id, hostname: hostnameOf(id) };
  return {
    id,
    namespace: parent.namespace,
    template: parent.template,
    isolation: parent.isolation,
    status: 'creating',
    spec,
    metadata: { ...parent.metadata, ...metadata, fork_tree_id: tree },
    ttlSeconds: parent.ttlSeconds,
    persistent: parent.persistent,
    idleTimeoutSeconds: parent.idleTimeoutSeconds,
    idleAction: parent.idleAction,
    activeAt: createdAt,
    bootMode: 'disk',
    bootMs: 0,
    createdAt,
    expiresAt: expiryOf(parent, createdAt),
    parent: parent.id,
    forkTree: tree,
    pooled: false,
  };
}
