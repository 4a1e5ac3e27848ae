import type { IdleAction, Isolation } from '@sandport/protocol';
import { networkBody, type SandboxNetwork } from './network-options.ts';

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

/** A named directory that outlives sandboxes. */
export interface SandboxVolume {
  name: string;
  /** @default false */
  readOnly?: boolean | undefined;
  /** Where it is mounted. @default `/mnt/{name}` */
  path?: string | undefined;
  /** Most MiB that it holds, when it is made by this. @default no limit */
  sizeMb?: number | undefined;
}

export interface SandboxCreateOptions {
  /** Template name or alias. @default 'default', or that of the snapshot */
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
  /** Snapshot to begin with: its id or its name. */
  fromSnapshot?: string | { readonly id: string } | undefined;
  /** False: begin with the disk of the snapshot only. @default with memory where it has it */
  memory?: boolean | undefined;
  /** Seconds after creation at which the sandbox is deleted; 0: never. @default 0 */
  ttlSeconds?: number | undefined;
  /** True: `ttlSeconds` does not delete the sandbox. @default false */
  persistent?: boolean | undefined;
  /** Seconds without a command or a transfer after which `idleAction` comes. @default 0: never */
  idleTimeoutSeconds?: number | undefined;
  /** @default 'hibernate' */
  idleAction?: IdleAction | undefined;
  resources?: SandboxResources | undefined;
  volumes?: readonly SandboxVolume[] | undefined;
  /** @default none but loopback */
  network?: SandboxNetwork | undefined;
  /** User that commands run as and that files belong to. @default the template's */
  user?: string | undefined;
  /** Directory of commands. @default the template's */
  workdir?: string | undefined;
  /** Gives up waiting; a sandbox that is made all the same is then deleted by its time limit only. */
  signal?: AbortSignal | undefined;
}

/** The API's body for a new sandbox. */
export function createBody(options: SandboxCreateOptions): Record<string, unknown> {
  const { signal: _, ttlSeconds, resources, volumes, network, ...others } = options;
  const { fromSnapshot, idleTimeoutSeconds, idleAction, ...same } = others;
  return {
    ...same,
    from_snapshot: typeof fromSnapshot === 'object' ? fromSnapshot.id : fromSnapshot,
    ttl_seconds: ttlSeconds,
    idle_timeout_seconds: idleTimeoutSeconds,
    idle_action: idleAction,
    resources: resources && resourcesBody(resources),
    network: network && networkBody(network),
    volumes: volumes?.map(({ name, readOnly, path, sizeMb }) => ({
      name,
      read_only: readOnly,
      path,
      size_mb: sizeMb,
    })),
  };
}

/** Limits as the API takes them. */
export const resourcesBody = ({ cpu, memoryMb, diskMb, pids }: SandboxResources) => ({
  cpu,
  memory_mb: memoryMb,
  disk_mb: diskMb,
  pids,
});
