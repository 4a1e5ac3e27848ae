import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  Canary,
  expectServing,
  openFiles,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { Answers, packet, RawClient } from './raw-client.ts';
import { missingProgram, SshHome } from './ssh-home.ts';

const used = useDaemon();
const missing = missingProgram('ssh-keygen');
let home: SshHome;
beforeAll(async () => {
  if (missing !== undefined) return;
  home = await SshHome.open(used);
  await home.register(used);
});
afterAll(async () => home?.[Symbol.asyncDispose]());
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

const box = useSandbox(used, 'container');
const init = packet(1, 3);
const none = 0;
const statusOf = (answer: Buffer | undefined) =>
  answer?.[0] === 101 ? answer.readUInt32BE(5) : undefined;

/** Sends requests one after the other and gives the answers. */
async function ask(requests: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
  using raw = await RawClient.open(home, box.id);
  const channel = await raw.sftp();
  const answers = new Answers(channel);
  channel.write(init);
  await answers.next();
  const found: (Buffer | undefined)[] = [];
  for (const request of requests) {
    channel.write(request);
    found.push(await answers.next());
  }
  return found;
}

test('links, dots and names lead nowhere outside of the sandbox', async () => {
  const canary = new Canary();
  try {
    await used.api.exec(
      box.id,
      `ln -s ${canary.file} to-file; ln -s ${canary.directory} to-dir; ln -s /proc/1/root root; ln -s / slash`,
    );
    const up = '../'.repeat(40);
    const places = [
      'to-file',
      'to-dir/secret',
      'root/etc/hostname',
      `${up}${canary.file}`,
      `slash/${up}${canary.file}`,
      `/proc/self/root${canary.file}`,
      `/proc/1/cwd/${up}${canary.file}`,
      canary.file,
    ];
    const read = await ask(places.map((place, id) => packet(3, id, place, 1, none)));
    for (const answer of read) expect(statusOf(answer)).toBeGreaterThan(0);
    const written = await ask([
      ...places.map((place, id) => packet(3, id, place, 2 | 8 | 16, none)),
      ...places.map((place, id) => packet(13, id, place)),
      ...places.map((place, id) => packet(9, id, place, 4, 0o777)),
      packet(18, 1, 'to-dir/secret', 'taken'),
      packet(18, 1, '/etc/hostname', `${canary.directory}/sub/kept`),
    ]);
    canary.expectUntouched();
    for (const answer of [...read, ...written]) canary.expectNotIn(answer ?? '');
    const [resolved] = await ask([packet(16, 1, `${up}etc/../${up}`)]);
    expect(resolved?.subarray(13).toString('latin1').startsWith('/')).toBe(true);
  } finally {
    canary.remove();
  }
});

test('devices, pipes and sockets are refused and do not block', async () => {
  await used.api.exec(
    box.id,
    'mkfifo pipe; python3 -c "import socket;socket.socket(1).bind(\'sock\')"',
  );
  const places = ['pipe', 'sock', '/dev/zero', '/proc/self/mem', '/sys/kernel'];
  const answers = await ask(places.map((place, id) => packet(3, id, place, 1 | 2, none)));
  for (const answer of answers) expect(statusOf(answer)).toBeGreaterThan(0);
});

test('names that are not UTF-8 are listed as they are', async () => {
  await used.api.exec(box.id, `mkdir odd; cd odd; python3 -c "open(b'\\\\xff\\\\xfe', 'w')"`);
  const [opened] = await ask([packet(11, 1, 'odd')]);
  expect(opened?.[0]).toBe(102);
  using raw = await RawClient.open(home, box.id);
  const channel = await raw.sftp();
  const answers = new Answers(channel);
  channel.write(init);
  await answers.next();
  channel.write(packet(11, 1, 'odd'));
  const handle = (await answers.next())?.subarray(9) ?? Buffer.alloc(0);
  channel.write(packet(12, 2, handle));
  expect((await answers.next())?.includes(Buffer.from([0, 0, 0, 2, 0xff, 0xfe]))).toBe(true);
  channel.write(packet(3, 3, Buffer.from('odd/\xff\xfe', 'latin1'), 1, none));
  expect(statusOf(await answers.next())).toBe(2);
});

test('numbers beyond all bounds are answered', async () => {
  const most = 2n ** 64n - 1n;
  await used.api.write(box.id, '/home/user/numbers', 'abc');
  using raw = await RawClient.open(home, box.id);
  const channel = await raw.sftp();
  const answers = new Answers(channel);
  channel.write(init);
  await answers.next();
  channel.write(packet(3, 1, 'numbers', 3, none));
  const handle = (await answers.next())?.subarray(9) ?? Buffer.alloc(0);
  const send = async (request: Buffer) => {
    channel.write(request);
    return answers.next();
  };
  expect(statusOf(await send(packet(5, 2, handle, most, 10)))).toBe(5);
  expect(statusOf(await send(packet(5, 3, handle, 2n ** 53n - 1n, 0xffff_ffff)))).toBeGreaterThan(
    0,
  );
  expect((await send(packet(5, 4, handle, 0n, 0xffff_ffff)))?.subarray(9).toString()).toBe('abc');
  expect(statusOf(await send(packet(6, 5, handle, 2n ** 53n - 1n, 'x')))).toBe(4);
  expect(statusOf(await send(packet(10, 6, handle, 1, 2n ** 62n)))).toBeGreaterThan(0);
  expect(statusOf(await send(packet(5, 7, 'no handle', 0n, 1)))).toBe(4);
  expect(statusOf(await send(packet(99, 8)))).toBe(8);
  expect(statusOf(await send(packet(200, 9, 'unknown@example.com')))).toBe(8);
  expect(statusOf(await send(packet(3, 10, 'short')))).toBe(5);
});

test('files that are open are counted, and closed with the connection', async () => {
  await used.api.write(box.id, '/home/user/counted', 'x');
  const openOnes = () => openFiles(used.daemon.pid).filter((file) => file.endsWith('/counted'));
  {
    using raw = await RawClient.open(home, box.id);
    const channel = await raw.sftp();
    const answers = new Answers(channel);
    channel.write(init);
    await answers.next();
    let opened = 0;
    for (let id = 0; id < 300; id++) {
      channel.write(packet(3, id, 'counted', 1, none));
      if ((await answers.next())?.[0] === 102) opened += 1;
    }
    expect(opened).toBe(256);
    expect(openOnes()).toHaveLength(256);
  }
  await waitFor(() => openOnes().length === 0, { what: 'the release of the files' });
});

test('whatever comes by the channel, the daemon goes on', { timeout: 120_000 }, async () => {
  await used.api.exec(box.id, 'mkdir -p fuzz');
  using raw = await RawClient.open(home, box.id);
  const field = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('fuzz/a', 'fuzz', '', '/', 'fuzz/../..', '\0'),
    fc.nat(0xffff_ffff),
    fc.bigInt(0n, 2n ** 64n - 1n),
  );
  const request = fc.oneof(
    fc
      .tuple(fc.integer({ min: 2, max: 20 }), fc.array(field, { maxLength: 5 }))
      .map(([type, fields]) => packet(type, ...fields)),
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
      const channel = await raw.sftp();
      const answers = new Answers(channel);
      channel.write(Buffer.concat([init, ...requests]));
      channel.end();
      while ((await answers.next()) !== undefined);
    }),
    { numRuns: 100 },
  );
  const huge = await raw.sftp();
  const answers = new Answers(huge);
  huge.write(Buffer.concat([Buffer.from([0x7f, 0xff, 0xff, 0xff]), randomBytes(100)]));
  expect(await answers.next()).toBeUndefined();
  await expectServing(used, box.id);
});
