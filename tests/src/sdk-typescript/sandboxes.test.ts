import { randomBytes } from 'node:crypto';
import {
  AuthError,
  BadRequestError,
  Client,
  ConflictError,
  NotFoundError,
  Sandbox,
} from 'sandport';
import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon } from '../harness/index.ts';
import { clientOf, failure } from './sdk-sandbox.ts';

const used = useDaemon();
const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;

onEachIsolation(used, (isolation) => {
  test('create takes all options and says them back', async () => {
    const name = unique('all');
    await using sandbox = await Sandbox.create(
      {
        template: 'python-sandbox-template',
        isolation,
        name,
        metadata: { team: 'a b' },
        env: { GREETING: 'hi' },
        ttlSeconds: 600,
        resources: { cpu: 0.5, memoryMb: 256, pids: 64 },
        user: 'root',
        workdir: '/workspace',
      },
      clientOf(used),
    );
    expect(sandbox).toMatchObject({ name, status: 'running', template: 'base' });
    expect(sandbox.info).toMatchObject({
      isolation,
      metadata: { team: 'a b' },
      resources: { cpu: 0.5, memory_mb: 256, pids: 64 },
      ttl_seconds: 600,
      boot_ms: expect.any(Number),
    });
    const { stdout } = await sandbox.exec('id -un; pwd; echo $GREETING');
    expect(stdout).toBe('root\n/workspace\nhi\n');
  });

  test('is found by id and by name, listed by filter, and gone after kill', async () => {
    const client = clientOf(used);
    const team = unique('team');
    const sandbox = await Sandbox.create(
      { isolation, name: unique('box'), metadata: { team } },
      client,
    );
    expect((await Sandbox.get(sandbox.id, client)).info).toEqual(sandbox.info);
    expect((await Sandbox.connect(sandbox.name ?? '', client)).id).toBe(sandbox.id);
    const found = await Sandbox.list({ metadata: { team }, status: 'running' }, client);
    expect(found.map(({ id }) => id)).toEqual([sandbox.id]);
    await sandbox.kill();
    await sandbox.terminate();
    expect(sandbox.status).toBe('deleted');
    expect(await failure(Sandbox.get(sandbox.id, client))).toBeInstanceOf(NotFoundError);
    expect(await failure(sandbox.filesystem.read('/etc/passwd'))).toBeInstanceOf(NotFoundError);
  });

  test('a create that is given up leaves no sandbox behind', async () => {
    const client = clientOf(used);
    const team = unique('gone');
    const creates = [0, 5, 20, 60].map((afterMs) => {
      const options = { isolation, metadata: { team }, signal: AbortSignal.timeout(afterMs) };
      return Sandbox.create(options, client).then(
        (sandbox) => sandbox.kill(),
        () => undefined,
      );
    });
    await Promise.all(creates);
    const left = async () => (await Sandbox.list({ metadata: { team } }, client)).length;
    await expect.poll(left, { timeout: 10_000 }).toBe(0);
  });

  test('a volume outlives its sandboxes; read-only is kept by the kernel', async () => {
    const client = clientOf(used);
    const name = unique('data');
    {
      await using writer = await Sandbox.create({ isolation, volumes: [{ name }] }, client);
      await writer.filesystem.write(`/mnt/${name}/file`, 'kept');
      expect(
        (await client.volumes.list()).find((each) => each.name === name)?.info.used_by,
      ).toEqual([writer.id]);
      expect(await failure(client.volumes.delete(name))).toMatchObject({ code: 'volume_in_use' });
    }
    {
      const volumes = [{ name, readOnly: true }];
      await using reader = await Sandbox.create({ isolation, volumes }, client);
      expect(await reader.filesystem.read(`/mnt/${name}/file`)).toBe('kept');
      const written = await reader.exec(`echo x > /mnt/${name}/file; cat /mnt/${name}/file`);
      expect(written).toMatchObject({
        stdout: 'kept',
        stderr: expect.stringMatching(/read-only/i),
      });
    }
    await client.volumes.delete(name);
    expect(await failure(client.volumes.delete(name))).toBeInstanceOf(NotFoundError);
  });
});

test('wrong options are refused with what would be right', async () => {
  const client = clientOf(used);
  const template = await failure(Sandbox.create({ template: 'no-such' }, client));
  expect(template).toBeInstanceOf(BadRequestError);
  expect(template).toMatchObject({
    code: 'unknown_template',
    details: { known: expect.any(Array) },
  });
  // Plain JavaScript can pass anything.
  const options = JSON.parse('{"tempalte":"base"}') as object;
  expect(await failure(Sandbox.create(options, client))).toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('tempalte'),
  });
});

test('a name is taken once', async () => {
  const client = clientOf(used);
  const name = unique('twice');
  await using first = await Sandbox.create({ name }, client);
  expect(first.name).toBe(name);
  const error = await failure(Sandbox.create({ name }, client));
  expect(error).toBeInstanceOf(ConflictError);
  expect(error).toMatchObject({ code: 'name_taken' });
});

test('a key sees its namespaces only', async () => {
  const client = clientOf(used);
  const namespace = unique('tenant');
  const { api_key: apiKey, id } = await client.keys.create({ label: 't', namespaces: [namespace] });
  const tenant = new Client({ url: client.url, apiKey });
  {
    await using own = await Sandbox.create({ namespace }, tenant);
    await using other = await Sandbox.create({}, client);
    expect((await Sandbox.list({}, tenant)).map((each) => each.id)).toEqual([own.id]);
    expect(await failure(Sandbox.get(other.id, tenant))).toBeInstanceOf(NotFoundError);
    expect(await failure(tenant.keys.list())).toBeInstanceOf(AuthError);
  }
  await client.keys.delete(id);
  expect(await failure(Sandbox.list({}, tenant))).toMatchObject({ code: 'unauthorized' });
  expect(
    await failure(Sandbox.list({}, new Client({ url: client.url, apiKey: 'wrong' }))),
  ).toBeInstanceOf(AuthError);
});

test('templates and version are told', async () => {
  const client = clientOf(used);
  const base = await client.templates.get('default');
  expect(base).toMatchObject({ name: 'base', status: 'ready' });
  expect((await client.templates.list()).map(({ name }) => name)).toContain('code-interpreter');
  expect(await failure(client.templates.get('none'))).toMatchObject({ code: 'template_not_found' });
  expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+/);
});
