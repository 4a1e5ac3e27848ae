import { randomUUID } from 'node:crypto';
import type { SandboxSpec, TemplateInfo } from '@sandport/driver';
import type { Isolation, SandboxId } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { specOf } from '../sandboxes/entry.ts';
import { defaultNamespace, hostnameOf } from '../sandboxes/new-row.ts';

/** Label of a member that holds the version of its template. */
const versionLabel = 'template_version';

/** The row of a sandbox that is made ahead: all as the template has it. */
export function memberRow(template: TemplateInfo, isolation: Isolation): SandboxRow {
  const id = randomUUID() as SandboxId;
  const createdAt = new Date();
  const spec: SandboxSpec = {
    id,
    template: template.name,
    isolation,
    namespace: defaultNamespace,
    hostname: hostnameOf(id),
    limits: template.limits,
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
    metadata: { [versionLabel]: template.version ?? '' },
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

/** Whether the member stands on this version of its template, with these limits. */
export function isOf(row: SandboxRow, { version = '', limits }: TemplateInfo): boolean {
  return row.metadata[versionLabel] === version && hasLimits(row, limits);
}

/** Whether a sandbox that was made ahead can be the one that was asked for. */
export const fits = (asked: SandboxRow, template: TemplateInfo): boolean =>
  asked.snapshot === undefined &&
  specOf(asked).volumes.length === 0 &&
  hasLimits(asked, template.limits);

/** The row that was asked for, for the sandbox that there is: it keeps its id and its hostname. */
export function takenRow(asked: SandboxRow, member: SandboxRow): SandboxRow {
  const { id, hostname } = specOf(member);
  return { ...asked, id, spec: { ...specOf(asked), id, hostname }, bootMode: 'pool' };
}

function hasLimits(row: SandboxRow, limits: TemplateInfo['limits']): boolean {
  const has = specOf(row).limits;
  return (
    has.cpu === limits.cpu &&
    has.memoryBytes === limits.memoryBytes &&
    has.diskBytes === limits.diskBytes &&
    has.pids === limits.pids
  );
}
