import type { Isolation } from '@sandport/protocol';

/** Limits of a sandbox. What is left out takes the template's default. */
export interface SandboxResources {
  /** CPU cores, fractions allowed. */
  cpu?: number | undefined;
  /** MiB. */
  memoryMb?: number | undefined;
  /** MiB of writable disk. @default the disk of the host is the limit */
  diskMb?: number | undefined;
  /** Processes and threads at one time. */
  pids?: number | undefined;
}

/** A named directory that outlives sandboxes; it appears at `/mnt/{name}`. */
export interface SandboxVolume {
  name: string;
  /** @default false */
  readOnly?: boolean | undefined;
}

export interface SandboxCreateOptions {
  /** Template name or alias. @default 'default' */
  template?: string | undefined;
  /** @default the strongest that works on the daemon's machine */
  isolation?: Isolation | undefined;
  /** @default 'default' */
  namespace?: string | undefined;
  /** Unique within its namespace. */
  name?: string | undefined;
  /** Free text labels; `Sandbox.list` can filter by them. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Environment of every command. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Seconds after creation at which the sandbox is deleted; 0: never. @default 0 */
  ttlSeconds?: number | undefined;
  /** True: `ttlSeconds` does not delete the sandbox. @default false */
  persistent?: boolean | undefined;
  resources?: SandboxResources | undefined;
  volumes?: readonly SandboxVolume[] | undefined;
  /** User that commands run as and that files belong to. @default the template's */
  user?: string | undefined;
  /** Directory of commands. @default the template's */
  workdir?: string | undefined;
  /** Gives up waiting; a sandbox that is made all the same is then deleted by its time limit only. */
  signal?: AbortSignal | undefined;
}

/** The API's body for a new sandbox. */
export function createBody(options: SandboxCreateOptions): Record<string, unknown> {
  const { signal: _, ttlSeconds, resources, volumes, ...same } = options;
  return {
    ...same,
    ttl_seconds: ttlSeconds,
    resources: resources && {
      cpu: resources.cpu,
      memory_mb: resources.memoryMb,
      disk_mb: resources.diskMb,
      pids: resources.pids,
    },
    volumes: volumes?.map(({ name, readOnly }) => ({ name, read_only: readOnly })),
  };
}
