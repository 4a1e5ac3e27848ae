import { isDeepStrictEqual } from 'node:util';
import type { SandboxLimits, SandboxSpec } from '@sandport/driver';
import { CgroupInUseError, setCgroupLimits } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { hostLimits } from '../oci/limits.ts';
import { DiskSizeError } from '../storage/storage.ts';
import { findUser } from '../templates/passwd.ts';
import type { HeldSandbox } from './held-sandbox.ts';

/**
 * Gives a sandbox the user, workdir, environment and limits of the spec. Processor time and memory
 * change at once; so does the number of processes of a `container`, that of a `gvisor` sandbox with
 * its next start from the disk.
 * @throws SandportFault `invalid_request` for what cannot be: nothing has changed then
 */
export async function reconfigureSandbox(
  context: DriverContext,
  held: HeldSandbox,
  spec: SandboxSpec,
): Promise<void> {
  const owner = findUser(held.template.passwd, spec.user);
  if (owner === undefined) {
    const message = `The template "${spec.template}" has no user "${spec.user}".`;
    throw new SandportFault('invalid_request', message, { field: 'user' });
  }
  const before = held.spec;
  await changeNetwork(context, held, spec);
  const { limits, user, workdir, env, network } = spec;
  const change = { user, workdir, env, network };
  if (isSame(limits, before.limits)) {
    held.spec = { ...held.spec, ...change };
    held.root.setOwner(owner);
    return;
  }
  try {
    await changeLimits(context, held, spec);
  } catch (error) {
    await changeNetwork(context, held, before);
    throw error;
  }
  if (held.live?.channel.connected === true) held.live.channel.setMemoryLimit(limits.memoryBytes);
  held.spec = { ...held.spec, ...change, limits };
  held.root.setOwner(owner);
}

/** All of them or, after an error, none. */
async function changeLimits(
  context: DriverContext,
  held: HeldSandbox,
  spec: SandboxSpec,
): Promise<void> {
  const old = held.spec.limits;
  const { limits } = spec;
  if (limits.diskBytes !== old.diskBytes) await resizeDisk(context, held, limits.diskBytes);
  try {
    await changeHostLimits(context, held, spec);
  } catch (error) {
    if (limits.diskBytes !== old.diskBytes) await resizeDisk(context, held, old.diskBytes);
    throw error;
  }
}

/** What it is to be is written down before it is so. */
async function changeNetwork(
  { network }: DriverContext,
  held: HeldSandbox,
  spec: SandboxSpec,
): Promise<void> {
  if (isDeepStrictEqual(spec.network, held.spec.network)) return;
  const old = held.spec;
  held.spec = { ...old, network: spec.network };
  try {
    await network.change(held, spec.network);
  } catch (error) {
    held.spec = old;
    throw error;
  }
}

const isSame = (one: SandboxLimits, other: SandboxLimits): boolean =>
  one.cpu === other.cpu &&
  one.memoryBytes === other.memoryBytes &&
  one.diskBytes === other.diskBytes &&
  one.pids === other.pids;

async function resizeDisk(
  context: DriverContext,
  { layout }: HeldSandbox,
  sizeBytes: number | undefined,
): Promise<void> {
  try {
    await context.disks.resize(layout, { sizeBytes });
  } catch (error) {
    if (!(error instanceof DiskSizeError)) throw error;
    const message = `The disk cannot have this size: ${error.message}.`;
    throw new SandportFault('invalid_request', message, { field: 'disk_mb' }, { cause: error });
  }
}

async function changeHostLimits(
  context: DriverContext,
  { live, layout, record }: HeldSandbox,
  { limits }: SandboxSpec,
): Promise<void> {
  if (!live) return;
  const { isolation } = record;
  try {
    await setCgroupLimits(layout.cgroup, hostLimits({ isolation, limits, cgroup: context.cgroup }));
  } catch (error) {
    if (!(error instanceof CgroupInUseError)) throw error;
    const message = `The limit of memory cannot be that low: ${error.message}.`;
    throw new SandportFault('invalid_request', message, { field: 'memory_mb' }, { cause: error });
  }
}
