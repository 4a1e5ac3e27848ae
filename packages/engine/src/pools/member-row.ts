import { randomUUID } from 'node:crypto';
import type { SandboxLimits, SandboxSpec, TemplateInfo } from '@sandport/driver';
import type { Isolation, Network, SandboxId } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import { specOf } from '../sandboxes/entry.ts';
import { sameLimits } from '../sandboxes/same-limits.ts';
import { defaultNamespace, hostnameOf } from '../sandboxes/new-row.ts';

/** Label of a member that holds the version of its template. */
const versionLabel = 'template_version';

/** Label of a member whose disk has another limit than the template's: that limit in bytes. */
const diskLabel = 'pool_disk_bytes';

/** Label of a member that has an interface where the template asks for none, or the other way round. */
const networkLabel = 'pool_network';

/** In what members of a pool are unlike their template. */
export interface Deviation {
  /** Limit of their disks. */
  readonly diskBytes?: number | undefined;
  /** Whether they have an interface. */
  readonly networked?: boolean | undefined;
}

/** Its interface is there, and lets nothing pass until somebody takes the member. */
const waitingNetwork: Network = { egress: 'none' };

/** The row of a sandbox that is made ahead: all as the template has it, but for the deviation. */
export function memberRow(
  template: TemplateInfo,
  isolation: Isolation,
  { diskBytes, networked }: Deviation = {},
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
    ...((networked ?? asksForNetwork(template)) ? { network: waitingNetwork } : {}),
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
      ...(networked === undefined ? {} : { [networkLabel]: String(networked) }),
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

/** Whether sandboxes of the template have a network unless told otherwise. */
const asksForNetwork = ({ network }: TemplateInfo): boolean =>
  network !== undefined && network.egress !== 'none';

/** In what a member is unlike its template. */
export function memberDeviation({ metadata }: SandboxRow): Deviation {
  const bytes = metadata[diskLabel];
  const networked = metadata[networkLabel];
  return {
    diskBytes: bytes === undefined ? undefined : Number(bytes),
    networked: networked === undefined ? undefined : networked === 'true',
  };
}

/** Whether the member stands on this version of its template, with these limits and this interface. */
export function isOf(row: SandboxRow, template: TemplateInfo): boolean {
  const { limits, network } = specOf(row);
  const { diskBytes, networked = asksForNetwork(template) } = memberDeviation(row);
  return (
    row.metadata[versionLabel] === (template.version ?? '') &&
    (network !== undefined) === networked &&
    sameLimits(limits, memberLimits(template, diskBytes))
  );
}

/**
 * Whether a sandbox that was made ahead can be the one that was asked for. Processor time and memory
 * can be changed while it runs.
 */
export const fits = (asked: SandboxRow, template: TemplateInfo): boolean =>
  asked.snapshot === undefined &&
  specOf(asked).volumes.length === 0 &&
  specOf(asked).limits.pids === template.limits.pids;

/** In what a sandbox is unlike the template. @param its.networked undefined: in nothing */
export function deviationFrom(
  template: TemplateInfo,
  its: { readonly diskBytes: number | undefined; readonly networked: boolean | undefined },
): Deviation {
  const { diskBytes, networked } = its;
  return {
    diskBytes: diskBytes === template.limits.diskBytes ? undefined : diskBytes,
    networked: networked === asksForNetwork(template) ? undefined : networked,
  };
}

/** The row that was asked for, for the sandbox that there is: it keeps its id and its hostname. */
export function takenRow(asked: SandboxRow, member: SandboxRow): SandboxRow {
  const { id, hostname } = specOf(member);
  return { ...asked, id, spec: { ...specOf(asked), id, hostname }, bootMode: 'pool' };
}
