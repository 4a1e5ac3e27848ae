import { randomUUID } from 'node:crypto';
import type { SandboxLimits, SandboxSpec, TemplateInfo } from '@sandport/driver';
import type { Isolation, SandboxId } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { specOf } from '../sandboxes/entry.ts';
import { sameLimits } from '../sandboxes/same-limits.ts';
import { defaultNamespace, hostnameOf } from '../sandboxes/new-row.ts';

/** Label of a member that holds the version of its template. */
const versionLabel = 'template_version';

/** Label of a member whose disk has another limit than the template's: that limit in bytes. */
const diskLabel = 'pool_disk_bytes';

/** The row of a sandbox that is made ahead: all as the template has it, but perhaps its disk. */
export function memberRow(
  template: TemplateInfo,
  isolation: Isolation,
  diskBytes?: number,
): SandboxRow {
  const id = randomUUID() as SandboxId;
  const createdAt = new Date();
  const spec: SandboxSpec = {
    id,
    template: template.name,
    isolation,
    namespace: defaultNamespace,
    hostname: hostnameOf(id),
    limits: memberLimits(template, diskBytes),
    volumes: [],
    user: template.user,
    workdir: template.workdir,
    env: {},
  };
  return {
    id,
    namespace: defaultNamespace,
    template: template.name,
    isolation,
    status: 'creating',
    spec,
    metadata: {
      [versionLabel]: template.version ?? '',
      ...(diskBytes === undefined ? {} : { [diskLabel]: String(diskBytes) }),
    },
    ttlSeconds: 0,
    persistent: false,
    idleTimeoutSeconds: 0,
    idleAction: 'hibernate',
    activeAt: createdAt,
    bootMode: 'pool',
    bootMs: 0,
    createdAt,
    pooled: true,
  };
}

const memberLimits = ({ limits }: TemplateInfo, diskBytes: number | undefined): SandboxLimits =>
  diskBytes === undefined ? limits : { ...limits, diskBytes };

/** The limit of its disk, where that is not the template's. */
export function memberDisk({ metadata }: SandboxRow): number | undefined {
  const bytes = metadata[diskLabel];
  return bytes === undefined ? undefined : Number(bytes);
}

/** Whether the member stands on this version of its template, with these limits. */
export const isOf = (row: SandboxRow, template: TemplateInfo): boolean =>
  row.metadata[versionLabel] === (template.version ?? '') &&
  sameLimits(specOf(row).limits, memberLimits(template, memberDisk(row)));

/**
 * Whether a sandbox that was made ahead can be the one that was asked for. Processor time and memory
 * can be changed while it runs.
 */
export const fits = (asked: SandboxRow, template: TemplateInfo): boolean =>
  asked.snapshot === undefined &&
  specOf(asked).volumes.length === 0 &&
  specOf(asked).limits.pids === template.limits.pids;

/** The limit of the disk that was asked for, where it is not the template's. */
export function askedDisk(asked: SandboxRow, template: TemplateInfo): number | undefined {
  const { diskBytes } = specOf(asked).limits;
  return diskBytes === template.limits.diskBytes ? undefined : diskBytes;
}

/** The row that was asked for, for the sandbox that there is: it keeps its id and its hostname. */
export function takenRow(asked: SandboxRow, member: SandboxRow): SandboxRow {
  const { id, hostname } = specOf(member);
  return { ...asked, id, spec: { ...specOf(asked), id, hostname }, bootMode: 'pool' };
}
