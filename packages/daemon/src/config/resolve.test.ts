import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { daemonOptions, environmentName } from './options.ts';
import { type DaemonFlags, resolveConfig } from './resolve.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandport-config-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function configFile(content: unknown): Promise<string> {
  const file = join(directory, 'config.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

test('with nothing given', async () => {
  expect(await resolveConfig({}, {})).toMatchObject({
    host: '127.0.0.1',
    port: 8420,
    dataDir: '/var/lib/sandport',
    isDefaultDataDir: true,
    kubernetes: {
      host: '127.0.0.1',
      port: 8421,
      asked: false,
      names: [],
      podNetwork: { range: 'auto', users: [] },
    },
    isolation: 'auto',
    storage: 'auto',
    aliases: {},
    prepare: ['base'],
    maxSandboxes: 1000,
    pools: [],
    idleTimeoutMs: 60_000,
    logLevel: 'info',
  });
});

test('pools by template, isolation and size', async () => {
  const pool = ['base=4', 'code-interpreter:container=0'];
  expect(await resolveConfig({ pool }, {})).toMatchObject({
    pools: [
      { template: 'base', isolation: undefined, size: 4 },
      { template: 'code-interpreter', isolation: 'container', size: 0 },
    ],
  });
  expect(await resolveConfig({}, { SANDPORT_POOL: 'base:gvisor=2' })).toMatchObject({
    pools: [{ template: 'base', isolation: 'gvisor', size: 2 }],
  });
  for (const wrong of ['base', 'base=', 'base=x', '=3', 'base:kvm=1', 'base=1001', 'a:b:c=1'])
    await expect(resolveConfig({ pool: [wrong] }, {})).rejects.toThrow('--pool');
});

test('clients of Kubernetes are listened for on the next port', async () => {
  const at = async (flags: DaemonFlags) => {
    const { kubernetes } = await resolveConfig(flags, {});
    return kubernetes && `${kubernetes.host} ${kubernetes.port} ${kubernetes.asked}`;
  };
  expect(await at({ listen: '[::1]:9000' })).toBe('::1 9001 false');
  expect(await at({ listen: '127.0.0.1:0' })).toBe('127.0.0.1 0 false');
  expect(await at({ listen: '127.0.0.1:65535' })).toBe('127.0.0.1 0 false');
  expect(await at({ kubernetes_listen: '127.0.0.1:0' })).toBe('127.0.0.1 0 true');
  expect(await at({ kubernetes_listen: 'off' })).toBeUndefined();
  const { kubernetes } = await resolveConfig({ pod_network: 'off' }, {});
  expect(kubernetes?.podNetwork).toBeUndefined();
});

test('an address that cannot be listened on is named, with what is right', async () => {
  for (const flag of ['ssh_listen', 'kubernetes_listen'] as const) {
    const option = `--${flag.replace('_', '-')}`;
    const of = (text: string) => resolveConfig({ [flag]: text }, {});
    await expect(of('70000')).rejects.toThrow(
      `${option}: must look like 127.0.0.1:8420, or be off`,
    );
    await expect(of('127.0.0.1:70000')).rejects.toThrow(`${option}: a port is at most 65535`);
  }
});

test('a flag comes before the environment, the environment before the file', async () => {
  const config = await configFile({ max_sandboxes: 1, log_level: 'warn', isolation: 'container' });
  const environment = { SANDPORT_MAX_SANDBOXES: '2', SANDPORT_LOG_LEVEL: 'error' };
  expect(await resolveConfig({ config, max_sandboxes: '3' }, environment)).toMatchObject({
    maxSandboxes: 3,
    logLevel: 'error',
    isolation: 'container',
  });
});

test('every option can be given in all three ways', async () => {
  const values: Record<string, string> = {
    listen: '[::1]:0',
    data_dir: '/d',
    run_dir: '/r',
    templates_dir: '/t',
    isolation: 'gvisor',
    storage: 'btrfs',
    storage_pool_gb: '2',
    alias: 'a=b',
    prepare: 'none',
    max_sandboxes: '7',
    pool: 'base:container=2',
    kubernetes_listen: '0.0.0.0:6443',
    kubernetes_san: 'box.example',
    pod_network: '127.70.0.0/16',
    pod_network_users: 'www-data',
    ssh_listen: '0.0.0.0:2022',
    preview_host: 'previews.example.com:443',
    allow_origin: 'https://pages.example',
    network: 'off',
    network_range: '10.9.0.0/16',
    network_dns: '9.9.9.9',
    idle_timeout_seconds: '1.5',
    log_level: 'silent',
  };
  const expected = {
    host: '::1',
    port: 0,
    kubernetes: {
      host: '0.0.0.0',
      port: 6443,
      asked: true,
      names: ['box.example'],
      podNetwork: { range: '127.70.0.0/16', users: ['www-data'] },
    },
    dataDir: '/d',
    isDefaultDataDir: false,
    runDir: '/r',
    templatesDir: '/t',
    isolation: 'gvisor',
    storage: 'btrfs',
    poolBytes: 2 ** 31,
    aliases: { a: 'b' },
    prepare: [],
    maxSandboxes: 7,
    pools: [{ template: 'base', isolation: 'container', size: 2 }],
    ssh: { host: '0.0.0.0', port: 2022, asked: true },
    previewHost: { suffix: 'previews.example.com', port: 443 },
    allowedOrigins: ['https://pages.example'],
    network: {
      mode: 'off',
      range: { base: 0x0a090000, prefix: 16 },
      resolvers: [{ address: '9.9.9.9', port: 53 }],
    },
    idleTimeoutMs: 1500,
    logLevel: 'silent',
  };
  expect(Object.keys(values).sort()).toEqual(daemonOptions.map(({ key }) => key).sort());
  const asList = {
    ...values,
    alias: ['a=b'],
    prepare: ['none'],
    pool: ['base:container=2'],
    kubernetes_san: ['box.example'],
    pod_network_users: ['www-data'],
    allow_origin: ['https://pages.example'],
    network_dns: ['9.9.9.9'],
  };
  expect(await resolveConfig(asList, {})).toEqual(expected);
  expect(await resolveConfig({ config: await configFile(asList) }, {})).toEqual(expected);
  const environment = Object.fromEntries(
    daemonOptions.map(({ key }) => [environmentName(key), values[key]]),
  );
  expect(await resolveConfig({}, environment)).toEqual(expected);
});

test.each([
  [{ listen: 'nowhere' }, {}, '--listen'],
  [{ listen: '127.0.0.1:70000' }, {}, '--listen'],
  [{ kubernetes_listen: 'on' }, {}, '--kubernetes-listen'],
  [{ kubernetes_listen: '127.0.0.1:65536' }, {}, '--kubernetes-listen'],
  [{ kubernetes_san: ['a b'] }, {}, '--kubernetes-san'],
  [{ pod_network: '10.0.0.0/8' }, {}, '--pod-network'],
  [{ max_sandboxes: 'many' }, {}, '--max-sandboxes'],
  [{ alias: ['x'] }, {}, '--alias'],
  [{ allow_origin: ['example.com'] }, {}, '--allow-origin'],
  [{ storage: 'zfs' }, {}, '--storage'],
  [{ storage_pool_gb: '0' }, {}, '--storage-pool-gb'],
  [{}, { SANDPORT_ISOLATION: 'strong' }, 'SANDPORT_ISOLATION'],
  [{ config: '/nonexistent/sandport.json' }, {}, '/nonexistent/sandport.json'],
])('%j with %j is refused by name', async (flags, environment, named) => {
  const failure = await resolveConfig(flags, environment).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigError);
  expect(String(failure)).toContain(named);
});

test.each([
  ['{', 'not valid'],
  ['{"listenn": "x"}', 'unknown setting "listenn"'],
  ['{"log_level": "loud"}', '"log_level" in'],
])('a configuration file with %s is refused by name', async (content, named) => {
  const config = await configFile(content);
  await expect(resolveConfig({ config }, {})).rejects.toThrow(named);
});
