import type { SandboxLimits } from '@sandport/driver';

export const sameLimits = (one: SandboxLimits, other: SandboxLimits | undefined): boolean =>
  one.cpu === other?.cpu &&
  one.memoryBytes === other.memoryBytes &&
  one.diskBytes === other.diskBytes &&
  one.pids === other.pids;
