import type { AgentSandbox } from '@sandport/agent-sandbox';
import { expect, test } from 'vitest';
import { kubernetesAccess } from './kubernetes-access.ts';

const dialect = (gatewayAddress?: string) =>
  ({
    certificateAuthority: 'PEM',
    names: new Set(['localhost', 'box.example', '::1']),
    router: { path: '/r' },
    gatewayAddress,
  }) as unknown as AgentSandbox; // Only what is told of it.

const addresses = (host: string, hostField: string | undefined) =>
  kubernetesAccess({
    dialect: dialect(),
    api: () => ({ host, port: 1 }),
    kubernetes: () => ({ host, port: 2 }),
  }).addresses(hostField);

test.each([
  ['127.0.0.1', 'localhost:1', 'https://127.0.0.1:2'],
  ['127.0.0.1', undefined, 'https://127.0.0.1:2'],
  ['::1', '127.0.0.1:1', 'https://[::1]:2'],
  ['0.0.0.0', 'Box.Example:1', 'https://box.example:2'],
  ['0.0.0.0', 'box.example', 'https://box.example:2'],
  ['::', '[::1]:1', 'https://[::1]:2'],
  ['0.0.0.0', 'evil.example:1', 'https://127.0.0.1:2'],
  ['::', 'a b/c', 'https://[::1]:2'],
  ['0.0.0.0', '', 'https://127.0.0.1:2'],
])('a daemon on %s that a client calls %s is at %s', (host, hostField, server) => {
  expect(addresses(host, hostField)?.server).toBe(server);
  expect(addresses(host, hostField)?.router).toBe(
    `${server.replace('https:', 'http:').replace(/2$/, '1')}/r`,
  );
});

test('without a listener there are no addresses', () => {
  const access = kubernetesAccess({
    dialect: dialect('127.66.0.1'),
    api: () => ({ host: '127.0.0.1', port: 1 }),
    kubernetes: () => undefined,
  });
  expect(access.addresses(undefined)).toBeUndefined();
});

test('the gateway is told when there is one', () => {
  const at = { host: '127.0.0.1', port: 1 };
  const options = { dialect: dialect('127.66.0.1'), api: () => at, kubernetes: () => at };
  expect(kubernetesAccess(options).addresses(undefined)?.gateway).toBe('http://127.66.0.1');
});
