import type { SandboxLimits } from '@sandport/driver';
import type { CgroupLimits } from '@sandport/linux';
import type { Isolation } from '@sandport/protocol';

/**
 * What a gVisor sandbox may take of the host above its limit: about 60 MiB for the sentry and the
 * gofer, and what guests can fill before the init looks again and ends them. When the host's limit
 * is hit instead, the whole sandbox dies.
 */
export const gvisorHeadroomBytes = 384 * 1024 * 1024;

/** Period of the CPU quota. */
const cpuPeriodUs = 100_000;

export interface HostLimitsOptions {
  readonly isolation: Isolation;
  readonly limits: SandboxLimits;
  /** What the kernel's cgroups can enforce. */
  readonly cgroup: { readonly cpuQuota: boolean };
}

/** The limits of a sandbox's control group on the host. */
export function hostLimits({
  isolation,
  limits,
  cgroup,
}: HostLimitsOptions): Required<Pick<CgroupLimits, 'memoryBytes' | 'cpu'>> &
  Pick<CgroupLimits, 'pids'> {
  const container = isolation === 'container';
  const quotaUs = Math.max(1000, Math.round(limits.cpu * cpuPeriodUs));
  return {
    memoryBytes: limits.memoryBytes + (container ? 0 : gvisorHeadroomBytes),
    // The init counts too; gVisor counts inside.
    ...(container ? { pids: limits.pids + 1 } : {}),
    cpu: {
      shares: Math.max(2, Math.round(limits.cpu * 1024)),
      periodUs: cpuPeriodUs,
      ...(cgroup.cpuQuota ? { quotaUs } : {}),
    },
  };
}
