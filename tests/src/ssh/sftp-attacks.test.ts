import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  Canary,
  expectServing,
  onEachIsolation,
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

const init = packet(1, 3);
const none = 0;
const statusOf = (answer: Buffer | undefined) =>
  answer?.[0] === 101 ? answer.readUInt32BE(5) : undefined;

/** A channel of SFTP on a connection of its own, greeted. */
async function openSftp(box: { readonly id: string }) {
  const raw = await RawClient.open(home, box.id);
  const channel = await raw.sftp();
  const answers = new Answers(channel);
  const ask = (request: Buffer) => {
    channel.write(request);
    return answers.next();
  };
  await ask(init);
  return { raw, ask, [Symbol.dispose]: () => raw[Symbol.dispose]() };
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  /** Sends requests one after the other and gives the answers. */
  async function ask(requests: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    using session = await openSftp(box);
    const found: (Buffer | undefined)[] = [];
    for (const request of requests) found.push(await session.ask(request));
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
        ...places.map((place, id) => packet(200, id, 'hardlink@openssh.com', place, `taken${id}`)),
        packet(200, 1, 'hardlink@openssh.com', '/etc/passwd', `${canary.directory}/taken`),
        ...places.map((place, id) => packet(200, id, 'lsetstat@openssh.com', place, 4, 0o777)),
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

  test('links that change places while they are followed lead nowhere', async () => {
    const canary = new Canary();
    try {
      await used.api.exec(
        box.id,
        `mkdir -p race/real; echo inside > race/real/secret; ln -s ${canary.directory} race/link
         cd race; nohup sh -c 'until test -e stop; do
           mv -T real other; mv -T link real; mv -T real link; mv -T other real
         done; touch stopped' >/dev/null 2>&1 </dev/null &`,
      );
      using session = await openSftp(box);
      const ask = async (request: Buffer) => {
        const answer = await session.ask(request);
        canary.expectNotIn(answer ?? '');
        return answer;
      };
      for (let round = 0; round < 30; round++) {
        const opened = await ask(packet(3, 1, 'race/real/secret', 1 | 2, none));
        const handle = opened?.[0] === 102 ? opened.subarray(9) : undefined;
        if (handle !== undefined) {
          expect((await ask(packet(5, 2, handle, 0n, 100)))?.subarray(9).toString()).toBe(
            'inside\n',
          );
          await ask(packet(4, 3, handle));
        }
        await ask(packet(3, 4, 'race/real/new', 2 | 8, none));
        await ask(packet(9, 5, 'race/real/secret', 4, 0o777));
        await ask(packet(200, 6, 'hardlink@openssh.com', 'race/real/secret', `race/${round}`));
        await ask(packet(13, 7, 'race/real/secret2'));
        await ask(packet(16, 8, 'race/real/secret'));
      }
      canary.expectUntouched();
    } finally {
      canary.remove();
      await used.api.exec(box.id, 'touch race/stop');
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
    await used.api.exec(
      box.id,
      `mkdir odd; cd odd; touch 'a\n b'; python3 -c "open(b'\\\\xff\\\\xfe', 'w')"`,
    );
    using session = await openSftp(box);
    const { ask: send } = session;
    const handle = (await send(packet(11, 1, 'odd')))?.subarray(9) ?? Buffer.alloc(0);
    const listed = await send(packet(12, 2, handle));
    expect(listed?.includes(Buffer.from([0, 0, 0, 2, 0xff, 0xfe]))).toBe(true);
    expect(listed?.includes(Buffer.from('\0\0\0\x04a\n b'))).toBe(true);
    expect(statusOf(await send(packet(3, 3, Buffer.from('odd/\xff\xfe', 'latin1'), 1, none)))).toBe(
      2,
    );
    expect(statusOf(await send(packet(18, 4, 'odd/a\n b', 'odd/\n\n')))).toBe(0);
    expect(statusOf(await send(packet(13, 5, 'odd/\n\n')))).toBe(0);
  });

  test('numbers beyond all bounds are answered', async () => {
    const most = 2n ** 64n - 1n;
    await used.api.write(box.id, '/home/user/numbers', 'abc');
    using session = await openSftp(box);
    const { ask: send } = session;
    const handle = (await send(packet(3, 1, 'numbers', 3, none)))?.subarray(9) ?? Buffer.alloc(0);
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
      using session = await openSftp(box);
      let opened = 0;
      for (let id = 0; id < 300; id++)
        if ((await session.ask(packet(3, id, 'counted', 1, none)))?.[0] === 102) opened += 1;
      expect(opened).toBe(256);
      expect(openOnes()).toHaveLength(256);
    }
    await waitFor(() => openOnes().length === 0, { what: 'the release of the files' });
  });

  test('a flood of channels ends at a number, which the client is told', async () => {
    const serve = 'nohup python3 -m http.server 8200 --bind 127.0.0.1 >/dev/null 2>&1 </dev/null &';
    await used.api.exec(box.id, serve);
    using raw = await RawClient.open(home, box.id);
    await waitFor(
      async () => {
        const channel = await raw.forward(8200).catch(() => undefined);
        channel?.destroy();
        return channel !== undefined;
      },
      { timeoutMs: 20_000, what: 'the server' },
    );
    using flooding = await RawClient.open(home, box.id);
    const opened = await Promise.allSettled(
      Array.from({ length: 80 }, () => flooding.forward(8200)),
    );
    const refused = opened.filter((each) => each.status === 'rejected');
    expect(refused).toHaveLength(80 - 64);
    for (const { reason } of refused)
      expect(String(reason)).toContain('this connection has 64 channels already');
    await expectServing(used, box.id);
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
});
