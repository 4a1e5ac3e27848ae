import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { z } from 'zod';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { json, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { guess } from './raw-client.ts';
import { type Ended, missingProgram, run, SshHome } from './ssh-home.ts';

const used = useDaemon();
const missing = missingProgram('ssh');
let home: SshHome;
beforeAll(async () => {
  if (missing === undefined) home = await SshHome.open(used);
});
afterAll(async () => home?.[Symbol.asyncDispose]());
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

const box = useSandbox(used, 'container', { name: 'guarded' });

const createKey = async (namespaces?: string[]) =>
  z
    .object({ id: z.string(), api_key: z.string() })
    .parse(json(await used.api.sendJson('POST', '/v1/keys', { namespaces }), 201));

/** Logs in with a password, as OpenSSH asks a program for one. */
function withPassword(user: string, password: string): Promise<Ended> {
  const ask = home.path('ask');
  writeFileSync(ask, '#!/bin/sh\nprintf %s "$SANDPORT_TEST_PASSWORD"\n', { mode: 0o700 });
  const flags = ['-F', home.config, '-o', 'PubkeyAuthentication=no'];
  const env = {
    SSH_ASKPASS: ask,
    SSH_ASKPASS_REQUIRE: 'force',
    DISPLAY: ':0',
    SANDPORT_TEST_PASSWORD: password,
  };
  const oneTry = ['-o', 'NumberOfPasswordPrompts=1'];
  return run('ssh', [...flags, ...oneTry, `${user}@sandport`, 'echo in'], { env });
}

test('a password is an API key, and a public key stands for one until it is taken back', async () => {
  expect(String((await withPassword(box.id, used.api.apiKey)).stdout)).toBe('in\n');
  expect((await home.ssh(box.id, ['true'])).code).toBe(255);
  const id = await home.register(used);
  expect(await home.register(used)).toBe(id);
  expect((await home.ssh('guarded', ['true'])).code).toBe(0);
  expect((await used.api.send('DELETE', `/v1/ssh-keys/${id}`)).status).toBe(204);
  expect((await home.ssh('guarded', ['true'])).code).toBe(255);
});

test('what is not to be had looks the same, whatever the reason', async () => {
  const other = await createKey(['elsewhere']);
  await home.register(used, other.api_key);
  const refused = await Promise.all([
    withPassword(box.id, `sp_${'0'.repeat(32)}`),
    withPassword(box.id, other.api_key),
    withPassword('guarded.elsewhere', other.api_key),
    withPassword('no-such-box', used.api.apiKey),
    home.ssh(box.id, ['true']),
    home.ssh('no-such-box', ['true']),
  ]);
  for (const { code, stderr } of refused) {
    expect(code).toBe(255);
    expect(stderr).toMatch(/Permission denied \(publickey,password\)|Connection closed/);
  }
  expect((await used.api.send('DELETE', `/v1/keys/${other.id}`)).status).toBe(204);
  const own = await createKey(['default']);
  await home.register(used, own.api_key);
  expect((await home.ssh('guarded.default', ['true'])).code).toBe(0);
  expect((await used.api.send('DELETE', `/v1/keys/${own.id}`)).status).toBe(204);
  expect((await home.ssh('guarded.default', ['true'])).code).toBe(255);
});

test('a connection ends soon after its public key is taken back', async () => {
  const id = await home.register(used);
  const begun = home.path('begun');
  const lasting = run('sh', [
    '-c',
    `ssh -F ${home.config} ${box.id}@sandport 'echo begun; sleep 1000' > ${begun}`,
  ]);
  await waitFor(() => existsSync(begun) && readFileSync(begun, 'utf8') === 'begun\n', {
    what: 'the command',
  });
  expect((await used.api.send('DELETE', `/v1/ssh-keys/${id}`)).status).toBe(204);
  expect((await lasting).code).toBe(255);
});

test('only public keys are registered', async () => {
  const add = (public_key: string) => used.api.sendJson('POST', '/v1/ssh-keys', { public_key });
  const [type = '', blob = ''] = home.publicKey.split(' ');
  for (const line of [
    'hello',
    `ssh-rsa ${blob}`,
    `${type} ${blob.slice(0, 20)}`,
    `${type} ${blob}AAAA`,
    `ssh-dss ${blob}`,
    `${type} ${'A'.repeat(20_000)}`,
    `${type} ${blob}\n${type} ${blob}`,
    'command="x" ssh-ed25519 AAAA',
  ])
    expect((await add(line)).status).toBe(400);
});

test('garbage, and those who say nothing, do not keep others out', async () => {
  const sockets: Socket[] = [];
  const open = () => {
    const socket = connect(home.port, home.host);
    socket.on('error', () => {});
    sockets.push(socket);
    return socket;
  };
  for (let count = 0; count < 60; count++) open();
  const garbage = [
    randomBytes(100_000),
    Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`),
    Buffer.alloc(200_000, 'S'),
    Buffer.from(`SSH-1.5-old\r\n`),
    Buffer.from(`SSH-2.0-${'x'.repeat(20_000)}\r\n`),
    Buffer.concat([
      Buffer.from('SSH-2.0-x\r\n'),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      randomBytes(64),
    ]),
    Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), randomBytes(70_000)]),
    Buffer.from('\r\n'.repeat(5_000)),
  ];
  for (const bytes of garbage) {
    const socket = open();
    const closed = once(socket, 'close');
    socket.resume();
    socket.write(bytes);
    // Some of it could be the beginning of something; that ends when the other side does.
    socket.end();
    await closed;
  }
  expect(String((await withPassword(box.id, used.api.apiKey)).stdout)).toBe('in\n');
  for (const socket of sockets) socket.destroy();
});

test('1,000 wrong log-ins are slowed, logged, and keep nobody out', {
  timeout: 180_000,
}, async () => {
  const startedAt = performance.now();
  const connections = 167;
  const guessing = Promise.all(Array.from({ length: connections }, () => guess(home, box.id)));
  await waitFor(async () => (await refusals()) >= 200, {
    timeoutMs: 60_000,
    what: 'the first of them',
  });
  const during = await withPassword(box.id, used.api.apiKey);
  expect(String(during.stdout)).toBe('in\n');
  const tried = await guessing;
  for (const each of tried) expect(each).toBeLessThanOrEqual(6);
  expect(await refusals()).toBeGreaterThanOrEqual(1_000);
  // Six on each connection, each answered two seconds after it came.
  expect(performance.now() - startedAt).toBeGreaterThan(6_000);
});

const refusals = async () =>
  (await used.daemon.log()).filter(({ msg }) => msg === 'a log-in over SSH was refused').length;
