import { randomUUID } from 'node:crypto';
import type { Driver, SandboxLimits, SandboxSpec, TemplateInfo } from '@sandport/driver';
import {
  type CreateSandbox,
  type Isolation,
  type Namespace,
  namespaceSchema,
  type Network,
  SandportFault,
  type SandboxId,
  type SnapshotId,
  type TemplateName,
  type VolumeMount,
} from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { expiryOf } from './changes.ts';
import { withNetwork } from './network.ts';
import { checkMounts } from './volume-mounts.ts';

/** Where a request without a namespace belongs. */
export const defaultNamespace = namespaceSchema.parse('default');

/** Name of a sandbox on its own network, when it has none of its own. */
export const hostnameOf = (id: SandboxId): string => `sandbox-${id.slice(0, 8)}`;

/** What a new sandbox begins with, a template or a snapshot, and what it has unless told otherwise. */
export interface Origin {
  readonly template: TemplateName;
  readonly snapshot?: SnapshotId;
  /** Left out: the strongest that works. */
  readonly isolation?: Isolation;
  readonly limits: SandboxLimits;
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: readonly VolumeMount[];
  /** Undefined: it says nothing of networks. */
  readonly network?: Network | undefined;
}

export const originOf = ({ name, limits, user, workdir, network }: TemplateInfo): Origin => ({
  template: name,
  limits,
  user,
  workdir,
  env: {},
  volumes: [],
  network,
});

/** The row of a new sandbox: the request, filled up from what it begins with. */
export function newRow(
  request: CreateSandbox,
  namespace: Namespace,
  origin: Origin,
  driver: Driver,
): SandboxRow {
  const id = randomUUID() as SandboxId;
  const isolation = chooseIsolation(request.isolation ?? origin.isolation, driver);
  const cpu = request.resources?.cpu ?? request.cpu ?? origin.limits.cpu;
  const memoryMb = request.resources?.memory_mb ?? request.memory_mb;
  const diskGb = request.disk_gb;
  const diskMb = request.resources?.disk_mb ?? (diskGb === undefined ? undefined : diskGb * 1024);
  const spec: SandboxSpec = {
    id,
    template: origin.template,
    isolation,
    namespace,
    hostname: request.name ?? hostnameOf(id),
    limits: {
      cpu,
      memoryBytes: memoryMb === undefined ? origin.limits.memoryBytes : memoryMb * 2 ** 20,
      diskBytes: diskMb === undefined ? origin.limits.diskBytes : diskMb * 2 ** 20,
      pids: request.resources?.pids ?? origin.limits.pids,
    },
    volumes: checkMounts(request.volumes ?? origin.volumes),
    user: request.user ?? origin.user,
    workdir: request.workdir ?? origin.workdir,
    env: request.env ?? origin.env,
    ...withNetwork(request.network ?? origin.network),
  };
  const createdAt = new Date();
  const ttlSeconds = request.ttl_seconds ?? 0;
  const persistent = request.persistent ?? false;
  return {
    id,
    namespace,
    name: request.name,
    template: origin.template,
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
    snapshot: origin.snapshot,
    pooled: false,
    bootMs: 0,
    createdAt,
    expiresAt: expiryOf({ ttlSeconds, persistent }, createdAt),
  };
}

/** @throws SandportFault `isolation_unavailable` */
export function chooseIsolation(
  wanted: Isolation | undefined,
  driver: Pick<Driver, 'isolations'>,
): Isolation {
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
