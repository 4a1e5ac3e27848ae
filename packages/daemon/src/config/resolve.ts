import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PoolSetting } from '@sandport/engine';
import { isolationSchema, maxPoolSize } from '@sandport/protocol';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { hostPortSchema } from './host-port.ts';
import {
  type KubernetesSettings,
  kubernetesSettings,
  kubernetesValues,
} from './kubernetes-settings.ts';
import { type SshSettings, sshSettings, sshValues } from './ssh-settings.ts';
import { type NetworkSettings, networkSettings, networkValues } from './network-settings.ts';
import { daemonOptions, defaultConfigFile, environmentName, type OptionKey } from './options.ts';
import { type PreviewHostSetting, previewHostSchema } from './preview-host.ts';

/** The daemon's settings, complete. */
export interface DaemonConfig {
  readonly host: string;
  readonly port: number;
  /** Undefined: the dialect of Kubernetes is off. */
  readonly kubernetes: KubernetesSettings | undefined;
  /** Undefined: SSH is off. */
  readonly ssh: SshSettings | undefined;
  readonly dataDir: string;
  /** True when nobody named another: then the user's own configuration gets the key, too. */
  readonly isDefaultDataDir: boolean;
  readonly runDir?: string | undefined;
  readonly templatesDir?: string | undefined;
  readonly isolation: 'auto' | 'gvisor' | 'container';
  readonly storage: 'auto' | 'overlay' | 'btrfs';
  /** Most that a pool of disks holds, where one is needed; undefined: as the disk allows. */
  readonly poolBytes?: number | undefined;
  readonly aliases: Readonly<Record<string, string>>;
  /** Templates that are built at the start when they are missing. */
  readonly prepare: readonly string[];
  readonly maxSandboxes: number;
  /** Sizes of pools at the start. */
  readonly pools: readonly PoolSetting[];
  /** Where ports of sandboxes have addresses of their own. */
  readonly previewHost: PreviewHostSetting;
  /** Origins of web pages that may open WebSockets. */
  readonly allowedOrigins: readonly string[];
  readonly network: NetworkSettings;
  readonly idleTimeoutMs: number;
  readonly logLevel: string;
}

/** Values as they come from flags: undefined where the flag was not given. */
export type DaemonFlags = Partial<Record<OptionKey, string | readonly string[]>> & {
  readonly config?: string;
};

const defaultDataDir = '/var/lib/sandport';

const text = z.string().min(1);
const values = z.strictObject({
  listen: hostPortSchema.default({ host: '127.0.0.1', port: 8420 }),
  ...kubernetesValues,
  ...networkValues,
  ...sshValues,
  data_dir: text.default(defaultDataDir),
  run_dir: text.optional(),
  templates_dir: text.optional(),
  isolation: z.enum(['auto', 'gvisor', 'container']).default('auto'),
  storage: z.enum(['auto', 'overlay', 'btrfs']).default('auto'),
  storage_pool_gb: z.coerce.number().min(1).max(1_000_000).optional(),
  alias: z.array(z.string().regex(/^[^=]+=[^=]+$/, 'must look like NAME=TEMPLATE')).default([]),
  prepare: z.array(text).default(['base']),
  max_sandboxes: z.coerce.number().int().min(1).max(100_000).default(1000),
  pool: z
    .array(
      z
        .string()
        .regex(
          /^[^:=]+(:(gvisor|container))?=\d{1,3}$/,
          'must look like TEMPLATE=4 or TEMPLATE:container=4',
        )
        .refine(
          (setting) => Number(setting.split('=')[1]) <= maxPoolSize,
          `a pool holds at most ${maxPoolSize} sandboxes`,
        ),
    )
    .default([]),
  allow_origin: z
    .array(z.string().regex(/^https?:\/\/[^/\s]+$/, 'must look like https://example.com'))
    .default([]),
  preview_host: previewHostSchema.default({ suffix: 'localhost' }),
  idle_timeout_seconds: z.coerce.number().min(0.1).max(86_400).default(60),
  log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/**
 * Flags come before the environment, the environment before the configuration file.
 * @throws ConfigError that names the setting and where it came from
 */
export async function resolveConfig(
  flags: DaemonFlags,
  environment: NodeJS.ProcessEnv,
): Promise<DaemonConfig> {
  const file = await readConfigFile(flags.config ?? environment['SANDPORT_CONFIG']);
  const given: Record<string, unknown> = {};
  const origin = new Map<string, string>();
  for (const { key, flag, list } of daemonOptions) {
    const fromEnvironment = environment[environmentName(key)];
    const split = list ? fromEnvironment?.split(',').filter(Boolean) : fromEnvironment;
    const [value, from] =
      flags[key] !== undefined
        ? [flags[key], flag.split(' ')[0] ?? flag]
        : split !== undefined
          ? [split, environmentName(key)]
          : [file.values[key], `"${key}" in ${file.name}`];
    if (value === undefined) continue;
    given[key] = value;
    origin.set(key, from);
  }
  const result = values.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    const key = String(issue?.path[0] ?? '');
    throw new ConfigError(`${origin.get(key) ?? key}: ${issue?.message ?? 'not valid'}.`);
  }
  return complete(result.data);
}

function complete(data: z.infer<typeof values>): DaemonConfig {
  return {
    ...data.listen,
    kubernetes: kubernetesSettings(data, data.listen),
    ssh: sshSettings(data, data.listen),
    dataDir: resolve(data.data_dir),
    isDefaultDataDir: resolve(data.data_dir) === defaultDataDir,
    runDir: data.run_dir === undefined ? undefined : resolve(data.run_dir),
    templatesDir: data.templates_dir === undefined ? undefined : resolve(data.templates_dir),
    isolation: data.isolation,
    storage: data.storage,
    poolBytes: data.storage_pool_gb === undefined ? undefined : data.storage_pool_gb * 2 ** 30,
    aliases: Object.fromEntries(data.alias.map((pair) => pair.split('=', 2))),
    prepare: data.prepare.filter((name) => name !== 'none'),
    maxSandboxes: data.max_sandboxes,
    pools: data.pool.map(poolSetting),
    previewHost: data.preview_host,
    allowedOrigins: data.allow_origin,
    network: networkSettings(data),
    idleTimeoutMs: data.idle_timeout_seconds * 1000,
    logLevel: data.log_level,
  };
}

/** As `base:container=4`. */
function poolSetting(setting: string): PoolSetting {
  const [name = '', size] = setting.split('=');
  const [template = '', isolation] = name.split(':');
  return { template, isolation: isolationSchema.optional().parse(isolation), size: Number(size) };
}

async function readConfigFile(
  named: string | undefined,
): Promise<{ name: string; values: Record<string, unknown> }> {
  const name = named ?? defaultConfigFile;
  let content: string;
  try {
    content = await readFile(name, 'utf8');
  } catch (error) {
    if (named === undefined) return { name, values: {} };
    throw new ConfigError(`The configuration file ${name} cannot be read: ${String(error)}`);
  }
  try {
    const parsed = z.record(z.string(), z.unknown()).parse(JSON.parse(content));
    const unknown = Object.keys(parsed).find((key) => !daemonOptions.some((o) => o.key === key));
    if (unknown !== undefined)
      throw new Error(
        `unknown setting "${unknown}"; known are ${daemonOptions.map(({ key }) => key).join(', ')}`,
      );
    return { name, values: parsed };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The configuration file ${name} is not valid: ${why}`);
  }
}
