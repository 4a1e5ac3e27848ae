import { randomUUID } from 'node:crypto';
import type { Driver, SandboxSpec, TemplateInfo } from '@sandport/driver';
import {
  type CreateSandbox,
  type Isolation,
  namespaceSchema,
  SandportFault,
  type SandboxId,
} from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { expiryOf } from './changes.ts';
import { checkMounts } from './volume-mounts.ts';

/** Where a request without a namespace belongs. */
export const defaultNamespace = namespaceSchema.parse('default');

export const namespaceOf = (request: CreateSandbox) => request.namespace ?? defaultNamespace;

/** The row of a new sandbox: the request, filled up from its template. */
export function newRow(request: CreateSandbox, template: TemplateInfo, driver: Driver): SandboxRow {
  const id = randomUUID() as SandboxId;
  const isolation = chooseIsolation(request.isolation, driver);
  const cpu = request.resources?.cpu ?? request.cpu ?? template.limits.cpu;
  const memoryMb = request.resources?.memory_mb ?? request.memory_mb;
  const diskGb = request.disk_gb;
  const diskMb = request.resources?.disk_mb ?? (diskGb === undefined ? undefined : diskGb * 1024);
  const spec: SandboxSpec = {
    id,
    template: template.name,
    isolation,
    namespace: namespaceOf(request),
    hostname: request.name ?? `sandbox-${id.slice(0, 8)}`,
    limits: {
      cpu,
      memoryBytes: memoryMb === undefined ? template.limits.memoryBytes : memoryMb * 2 ** 20,
      diskBytes: diskMb === undefined ? template.limits.diskBytes : diskMb * 2 ** 20,
      pids: request.resources?.pids ?? template.limits.pids,
    },
    volumes: checkMounts(request.volumes ?? []),
    user: request.user ?? template.user,
    workdir: request.workdir ?? template.workdir,
    env: request.env ?? {},
  };
  const createdAt = new Date();
  const ttlSeconds = request.ttl_seconds ?? 0;
  const persistent = request.persistent ?? false;
  return {
    id,
    namespace: spec.namespace,
    name: request.name,
    template: template.name,
    isolation,
    status: 'creating',
    spec,
    metadata: request.metadata ?? {},
    ttlSeconds,
    persistent,
    idleTimeoutSeconds: request.idle_timeout_seconds ?? 0,
    idleAction: request.idle_action ?? 'hibernate',
    activeAt: createdAt,
    bootMode: 'cold',
    pooled: false,
    bootMs: 0,
    createdAt,
    expiresAt: expiryOf({ ttlSeconds, persistent }, createdAt),
  };
}

function chooseIsolation(wanted: Isolation | undefined, driver: Driver): Isolation {
  const chosen = wanted ?? driver.isolations[0];
  if (chosen !== undefined && driver.isolations.includes(chosen)) return chosen;
  throw new SandportFault(
    'isolation_unavailable',
    chosen === undefined
      ? 'No isolation works on this machine; `sandport doctor` says what is missing.'
      : `The isolation "${chosen}" does not work on this machine; \`sandport doctor\` says why.`,
    { isolation: chosen, known: driver.isolations },
  );
}
