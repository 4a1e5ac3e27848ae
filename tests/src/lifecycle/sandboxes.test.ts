import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CreatedSandbox,
  exchange,
  faultOf,
  onEachIsolation,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon({ args: ['--alias', 'mine=base'] });

describe('lists', () => {
  const made: CreatedSandbox[] = [];
  beforeAll(async () => {
    for (const fields of [
      { name: 'one', metadata: { job: 'a', team: 'x y&z=1' } },
      { name: 'two', metadata: { job: 'b' }, namespace: 'other' },
      { name: 'three', metadata: { job: 'a' }, template: 'mine' },
      { metadata: { job: 'c' } },
      {},
    ])
      made.push(await used.api.create(fields));
  });
  afterAll(() => used.daemon.killSandboxes());
  const namesOf = async (query: string) =>
    (await used.api.list(query)).map(({ name, id }) => name ?? id);

  test('newest first, as a bare array', async () => {
    expect(await used.api.list()).toEqual(made.toReversed());
  });

  test('filtered by metadata, template, status and namespace, and by all at once', async () => {
    expect(await namesOf('?metadata.job=a')).toEqual(['three', 'one']);
    expect(await namesOf('?metadata.job=a&metadata.team=x%20y%26z%3D1')).toEqual(['one']);
    expect(await namesOf('?metadata.job=nothing')).toEqual([]);
    expect(await namesOf('?metadata.constructor=x')).toEqual([]);
    expect(await namesOf('?metadata.__proto__=x')).toEqual([]);
    expect(await namesOf('?namespace=other')).toEqual(['two']);
    expect(await namesOf('?status=running')).toHaveLength(5);
    expect(await namesOf('?status=failed')).toEqual([]);
    expect(await namesOf('?template=base')).toHaveLength(5);
    expect(await namesOf('?template=nothing')).toEqual([]);
    expect(await namesOf('?metadata.job=a&namespace=default&status=running&limit=1')).toEqual([
      'three',
    ]);
  });

  test('in pages: the cursors give every sandbox once, also while others come', async () => {
    const seen: string[] = [];
    let path = '/v1/sandboxes?limit=2&status=running';
    let extra: CreatedSandbox | undefined;
    for (;;) {
      const answer = await used.api.send('GET', path);
      expect(answer.status).toBe(200);
      const page: CreatedSandbox[] = JSON.parse(answer.body.toString());
      expect(page.length).toBeLessThanOrEqual(2);
      seen.push(...page.map(({ id }) => id));
      extra ??= await used.api.create();
      const { 'x-next-cursor': cursor, link } = answer.headers;
      if (cursor === undefined) break;
      const next = /^<([^>]+)>; rel="next"$/.exec(String(link))?.[1] ?? '';
      expect(next).toContain('status=running');
      path = next;
    }
    expect(seen).toEqual(made.map(({ id }) => id).toReversed());
    await used.api.kill(extra.id);
  });

  test('one key sees its namespaces only, with the same filters', async () => {
    const { api } = await used.api.newKey({ namespaces: ['other'] });
    expect((await api.list()).map(({ name }) => name)).toEqual(['two']);
    expect(await api.list('?metadata.job=a')).toEqual([]);
    expect((await api.get('two')).namespace).toBe('other');
  });

  test('a name finds its sandbox, and is unique in its namespace only', async () => {
    expect((await used.api.get('one')).id).toBe(made[0]?.id);
    const taken = await used.api.sendJson('POST', '/v1/sandboxes', { name: 'one' });
    faultOf(taken, 'name_taken');
    const { id } = await used.api.create({ name: 'one', namespace: 'third' });
    expect((await used.api.get('one')).id).toBe(made[0]?.id);
    await used.api.kill(id);
  });
});

onEachIsolation(used, (isolation) => {
  test('what was asked for is what is told, and what commands get', async () => {
    const fields = {
      isolation,
      name: `asked-${isolation}`,
      metadata: { key: 'välue', empty: '' },
      env: { GREETING: 'hello "world" $HOME', EMPTY: '' },
      user: 'root',
      workdir: '/srv/deep/work dir',
      ttl_seconds: 3600,
      resources: { cpu: 0.5, memory_mb: 256, disk_mb: 128, pids: 64 },
    };
    const { api } = used;
    const made = await api.create(fields);
    expect(made).toMatchObject({
      ...fields,
      status: 'running',
      template: 'base',
      namespace: 'default',
    });
    expect(made.boot_ms).toBeGreaterThan(0);
    expect(Date.parse(made.expires_at ?? '') - Date.parse(made.created_at)).toBe(3_600_000);
    const seen = await api.exec(
      made.id,
      'echo "$GREETING|$EMPTY|${EMPTY+set}"; pwd; id -un; hostname',
    );
    expect(seen.stdout).toBe(
      `hello "world" $HOME||set\n/srv/deep/work dir\nroot\n${fields.name}\n`,
    );
    expect((await api.stat(made.id, '/srv/deep/work dir')).uid).toBe(0);
    await api.kill(made.id);
    faultOf(await api.send('GET', `/v1/sandboxes/${made.id}`), 'sandbox_not_found');
  });

  test('a command adds to the environment and chooses user and directory for itself', async () => {
    const { id } = await used.api.create({ isolation, env: { A: 'sandbox', B: 'sandbox' } });
    const mine = { env: { B: 'command', C: 'command' }, user: 'root', cwd: '/tmp' };
    expect((await used.api.exec(id, 'echo $A $B $C; id -u; pwd', mine)).stdout).toBe(
      'sandbox command command\n0\n/tmp\n',
    );
    expect((await used.api.exec(id, 'echo $A $B $C; id -un; pwd; echo $HOME')).stdout).toBe(
      'sandbox sandbox\nuser\n/home/user\n/home/user\n',
    );
    expect((await used.api.exec(id, 'id -u', { user: '12345' })).stdout).toBe('12345\n');
    await used.api.kill(id);
  });

  test('a time to live ends the sandbox within about a second', async () => {
    const { api } = used;
    // It counts from the beginning of the create, which takes time as well.
    const ttl_seconds = 3;
    const kept = await api.create({ isolation, ttl_seconds, persistent: true });
    const made = await api.create({ isolation, ttl_seconds });
    await waitFor(async () => (await api.send('GET', `/v1/sandboxes/${made.id}`)).status === 404, {
      timeoutMs: 20_000,
    });
    const lateMs = Date.now() - Date.parse(made.created_at) - ttl_seconds * 1_000;
    expect(lateMs).toBeGreaterThanOrEqual(-50);
    expect(lateMs).toBeLessThan(15_000);
    expect((await api.get(kept.id)).status).toBe('running');
    await api.kill(kept.id);
    await waitForOnly(used.daemon, []);
  });
});

test('/healthz and /version tell the release', async () => {
  const health = await exchange(used.daemon.url, { path: '/healthz' });
  const { status, version } = JSON.parse(health.body.toString());
  expect(status).toBe('ok');
  const told = await used.api.send('GET', '/version');
  expect(JSON.parse(told.body.toString())).toEqual({ version });
});

test('templates are listed with their aliases', async () => {
  const listed = await used.api.send('GET', '/v1/templates');
  const templates: { name: string; aliases: string[] }[] = JSON.parse(listed.body.toString());
  const base = templates.find(({ name }) => name === 'base');
  expect(base).toMatchObject({ status: 'ready', user: 'user' });
  expect(base?.aliases).toEqual(
    expect.arrayContaining(['default', 'python-sandbox-template', 'ubuntu-24.04', 'mine']),
  );
  const byAlias = await used.api.send('GET', '/v1/templates/ubuntu-24.04');
  expect(JSON.parse(byAlias.body.toString())).toMatchObject({ name: 'base' });
});

test('a request id is given back, or made, and stands in the log with the rest', async () => {
  const { api, daemon } = used;
  const { id } = await api.create();
  const given = await api.put(id, '/tmp/logged', 'twelve bytes', {
    headers: { 'X-Request-Id': 'my-own.id_1' },
  });
  expect(given.headers['x-request-id']).toBe('my-own.id_1');
  const line = await waitFor(async () =>
    (await daemon.log()).find((each) => each['id'] === 'my-own.id_1'),
  );
  expect(line).toMatchObject({
    method: 'PUT',
    route: '/v1/sandboxes/:id/fs',
    status: 200,
    bytes_in: 12,
    ms: expect.any(Number),
    bytes_out: expect.any(Number),
  });
  const missing = await api.open(id, '/no/such', { headers: { 'X-Request-Id': 'x'.repeat(65) } });
  const minted = String(missing.headers['x-request-id']);
  expect(minted).toMatch(/^[0-9a-f]{16}$/);
  const failed = await waitFor(async () =>
    (await daemon.log()).find((each) => each['id'] === minted),
  );
  expect(failed).toMatchObject({ status: 404, code: 'file_not_found' });
  for (const bad of ['a b', 'ä', '{}', '<x>']) {
    const answer = await api.send('GET', '/version', {
      headers: { 'X-Request-Id': Buffer.from(bad).toString('latin1') },
    });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{16}$/);
  }
  // No key and no content of a file ever stands there.
  const text = JSON.stringify(await daemon.log());
  expect(text).not.toContain(daemon.apiKey);
  expect(text).not.toContain('twelve bytes');
  await api.kill(id);
});

test('keys are made, listed without their secret, and revoked', async () => {
  const { api } = used;
  const made = await api.newKey({ label: 'ci', namespaces: ['a', 'b'] });
  expect(made.api.apiKey).toMatch(/^sp_[0-9a-f]{32}$/);
  const listed = (await api.send('GET', '/v1/keys')).body.toString();
  expect(JSON.parse(listed)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: made.id, label: 'ci', namespaces: ['a', 'b'] }),
    ]),
  );
  expect(listed).not.toContain(made.api.apiKey);
  expect((await api.send('DELETE', `/v1/keys/${made.id}`)).status).toBe(204);
  faultOf(await made.api.send('GET', '/v1/sandboxes'), 'unauthorized');
});
