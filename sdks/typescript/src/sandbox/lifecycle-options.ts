import type { IdleAction } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import { type SandboxResources, resourcesBody } from './create-options.ts';
import { networkBody, type SandboxNetwork } from './network-options.ts';

/** What can be changed of how long a sandbox stays. What is left out stays as it is. */
export interface LifecycleOptions extends SignalOptions {
  /** Seconds from now at which the sandbox is deleted; 0: never. */
  ttlSeconds?: number | undefined;
  /** True: `ttlSeconds` does not delete the sandbox. */
  persistent?: boolean | undefined;
  /** Seconds without a command or a transfer after which `idleAction` comes; 0: never. */
  idleTimeoutSeconds?: number | undefined;
  idleAction?: IdleAction | undefined;
}

/** The API's body for it. */
export const lifecycleBody = (options: LifecycleOptions) => ({
  ttl_seconds: options.ttlSeconds,
  persistent: options.persistent,
  idle_timeout_seconds: options.idleTimeoutSeconds,
  idle_action: options.idleAction,
});

/** What can be changed of a sandbox that lives. What is left out stays as it is. */
export interface UpdateOptions extends SignalOptions {
  /** New limits. */
  resources?: SandboxResources | undefined;
  /** Replaces all labels. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Replaces the environment of later commands. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Replaces what it may reach; connections that are no longer allowed end. */
  network?: SandboxNetwork | undefined;
}

/** The API's body for it. */
export const updateBody = ({ resources, metadata, env, network }: UpdateOptions) => ({
  resources: resources && resourcesBody(resources),
  metadata,
  env,
  network: network && networkBody(network),
});
