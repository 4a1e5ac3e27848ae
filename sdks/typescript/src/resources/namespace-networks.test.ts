import { expect, test } from 'vitest';
import { AuthError } from '../errors/api-errors.ts';
import { FakeDaemon } from '../testing/fake-daemon.ts';

test('networks of a namespace are sent as the API has them, and what is beyond them is told', async () => {
  const seen: unknown[] = [];
  await using daemon = await FakeDaemon.start(async (exchange) => {
    const { url, request } = exchange;
    seen.push(`${request.method} ${url.pathname}`);
    if (request.method === 'GET')
      return exchange.json(200, { namespace: 'a', max_egress: 'all', later: 1 });
    seen.push(JSON.parse((await exchange.body()).toString()));
    if (url.pathname.endsWith('/build'))
      return exchange.json(403, { error: 'No.', code: 'network_beyond_bound', namespace: 'a' });
    exchange.json(200, { namespace: 'a', max_egress: 'allowlist', max_allow: ['a.test'] });
  });
  const { client } = daemon;
  const network = { egress: 'allowlist', allow: ['a.test'], bandwidthMbps: 5 } as const;
  const wire = { egress: 'allowlist', allow: ['a.test'], bandwidth_mbps: 5 };
  const set = await client.namespaceNetworks.set('a/b', {
    maxEgress: 'allowlist',
    maxAllow: ['a.test'],
    default: network,
  });
  expect(set).toEqual({ namespace: 'a', max_egress: 'allowlist', max_allow: ['a.test'] });
  expect(await client.namespaceNetworks.get('a')).toEqual({ namespace: 'a', max_egress: 'all' });
  const building = client.templates.startBuild('mine', { image: 'x', network });
  await expect(building).rejects.toThrow(AuthError);
  await expect(building).rejects.toMatchObject({ code: 'network_beyond_bound' });
  expect(seen).toEqual([
    'PUT /v1/namespaces/a%2Fb/network',
    { max_egress: 'allowlist', max_allow: ['a.test'], default: wire },
    'GET /v1/namespaces/a/network',
    'POST /v1/templates/build',
    { name: 'mine', image: 'x', network: wire, detach: true },
  ]);
});
