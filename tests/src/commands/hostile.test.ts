import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  expectServing,
  onEachIsolation,
  openFiles,
  TestWebSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { KeptApi } from './kept-api.ts';

const used = useDaemon();
const mebibyte = 2 ** 20;

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { resources: { disk_mb: 64, memory_mb: 256 } });
  const kept = () => new KeptApi(used.api, box.id);

  test('many short commands, many at a time, leave nothing behind', async () => {
    const socket = await TestWebSocket.open(used.api, `/v1/sandboxes/${box.id}/exec/ws`);
    const total = 300;
    const atOnce = 32;
    const whole = async () => {
      const run = () => used.api.exec(box.id, 'echo x');
      for (const { stdout } of await Promise.all(Array.from({ length: atOnce }, run)))
        expect(stdout).toBe('x\n');
    };
    // The connections that this takes stay open for a while.
    await whole();
    const files = openFiles(used.daemon.pid).length;
    let next = 0;
    const lane = async () => {
      for (let id = next++; id < total; id = next++) {
        socket.send({ id, cmd: 'echo x' });
        await new Promise<void>((resolve) => {
          const look = (data: unknown) => {
            const { id: of, exit } = JSON.parse(String(data)) as Record<string, unknown>;
            if (of !== id || exit === undefined) return;
            socket.socket.off('message', look);
            resolve();
          };
          socket.socket.setMaxListeners(0).on('message', look);
        });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    await whole();
    expect(socket.messages.filter(({ exit }) => exit === 0)).toHaveLength(total);
    expect(socket.messages.filter(({ data }) => data === 'x\n')).toHaveLength(total);
    await socket.close();
    await waitFor(() => openFiles(used.daemon.pid).length <= files);
    const left = await used.api.asRoot(box.id, 'ps -A | wc -l');
    expect(Number(left)).toBeLessThan(10);
    expect(await kept().list()).toEqual([]);
  });

  test('of many that are kept the last ones stay', async () => {
    for (let round = 0; round < 5; round++)
      await Promise.all(Array.from({ length: 30 }, () => kept().start('echo x')));
    await waitFor(async () => (await kept().list('?status=running')).length === 0);
    await waitFor(async () => (await kept().list()).length <= 128);
    expect((await kept().list()).length).toBeGreaterThan(100);
    await Promise.all((await kept().list()).map(({ id }) => kept().send('DELETE', id)));
    expect(await kept().list()).toEqual([]);
  });

  test('a hundred at one time each have their own output', async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        kept().start('read x; echo "$x of $N"', { stdin: true, env: { N: String(index) } }),
      ),
    );
    expect(await kept().list('?status=running')).toHaveLength(100);
    await Promise.all(all.map(({ id }) => kept().send('PUT', id, '/stdin', 'end\n')));
    await Promise.all(all.map(({ id }) => kept().end(id)));
    for (const [index, { id }] of all.entries())
      expect(String(await kept().output(id))).toBe(`end of ${index}\n`);
    await Promise.all(all.map(({ id }) => kept().send('DELETE', id)));
  });

  test('who follows gets all of what is far more than is kept', async () => {
    const bytes = 20 * mebibyte;
    // Who comes after the first output may be too late for it.
    const program = `read go; head -c ${bytes} /dev/zero | tr '\\0' 'y'`;
    const how = { output_limit_bytes: mebibyte, stdin: true };
    const { id } = await kept().start(program, how);
    const hash = createHash('sha256');
    let received = 0;
    using events = await kept().follow(id);
    await kept().send('PUT', id, '/stdin', 'go\n');
    await waitFor(
      () => {
        for (const { event, data } of events.told.splice(0)) {
          if (event === 'gap') throw new Error(`a gap: ${JSON.stringify(data)}`);
          const chunk = String(data['chunk'] ?? '');
          hash.update(chunk);
          received += chunk.length;
        }
        events.texts.length = 0;
        return received === bytes;
      },
      { timeoutMs: 40_000, what: 'all output' },
    );
    const expected = createHash('sha256');
    for (let part = 0; part < 20; part++) expected.update('y'.repeat(mebibyte));
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    await kept().send('DELETE', id);
  });

  test('commands that flee, close their ends or live on do not hold up their end', async () => {
    const twice = `(setsid sh -c 'exec >/dev/null 2>&1; sleep 1005' &) ; echo left; exit 4`;
    const holding = `sleep 1006 & echo left; exit 4`;
    for (const program of [twice, holding]) {
      const { id } = await kept().start(program);
      expect(await kept().end(id)).toMatchObject({ exit_code: 4 });
      expect(String(await kept().output(id))).toBe('left\n');
    }
    const closed = await kept().start('exec >&- 2>&- <&-; sleep 0.2; exit 6', { stdin: true });
    expect(await kept().end(closed.id)).toMatchObject({ exit_code: 6, stdout_bytes: 0 });
    await used.api.asRoot(box.id, 'pkill -f "sleep 100[56]"; true');
  });

  test('one that fills the disk, or the memory, is told as such', async () => {
    const { id } = await kept().start('echo begun; cat /dev/zero > /home/user/full; echo $?');
    expect(await kept().end(id)).toMatchObject({ status: 'ended', exit_code: 0 });
    expect(String(await kept().output(id))).toMatch(/^begun\n[1-9]/);
    // Nothing can be written down any more: it ends and is told all the same.
    const more = await kept().start('head -c 3000000 /dev/zero | tr "\\0" z; exit 2');
    expect(await kept().end(more.id)).toMatchObject({ exit_code: 2, stdout_bytes: 3_000_000 });
    await used.api.remove(box.id, '/home/user/full');
    const greedy = await kept().start([
      'python3',
      '-c',
      'x=[]\nwhile True: x.append(bytearray(10**7))',
    ]);
    expect(await kept().end(greedy.id)).toMatchObject({ signal: 'SIGKILL', oom_killed: true });
    await expectServing(used, box.id);
  });
});
