import { expect, test } from 'vitest';
import {
  faultOf,
  onEachIsolation,
  TestWebSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import type { EventSource } from '../watch/event-source.ts';
import { KeptApi } from './kept-api.ts';

const used = useDaemon();

/** Numbered lines, each once and in order: what is lost or comes twice shows. */
const counted = (lines: number) =>
  Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join('');

const textOf = ({ told }: EventSource) =>
  told.map(({ event, data }) => (event === 'stdout' ? String(data['chunk']) : '')).join('');

test('a daemon that is killed loses nothing: output, ends, input and terminals go on', async () => {
  const { isolations } = used.daemon;
  const boxes = await Promise.all(isolations.map((isolation) => used.api.create({ isolation })));
  const lines = 200_000;
  const program = `seq 1 ${lines / 2}; read x; seq 1 ${lines} | tail -n ${lines / 2}; exit 5`;
  const begun = await Promise.all(
    boxes.map(async ({ id: box }) => {
      const kept = new KeptApi(used.api, box);
      const counting = await kept.start(program, { stdin: true });
      const short = await kept.start('sleep 0.5; echo ended meanwhile; exit 6');
      const shell = await kept.start('cat', { tty: { rows: 24, cols: 80 } });
      const first = await kept.follow(counting.id);
      await waitFor(() => first.told.length > 0, { timeoutMs: 20_000 });
      return { box, counting, short, shell, first };
    }),
  );
  await used.daemon.kill9();
  await Promise.all(begun.map(({ first }) => first.ended));
  await used.daemon.start();
  for (const { box, counting, short, shell, first } of begun) {
    const kept = new KeptApi(used.api, box);
    const { id: last = '' } = first.told.at(-1) ?? {};
    using second = await kept.follow(counting.id, '', { 'Last-Event-ID': last });
    await kept.send('PUT', counting.id, '/stdin', 'go on\n');
    await second.ended;
    expect(textOf(first) + textOf(second) === counted(lines)).toBe(true);
    expect(second.told.at(-1)).toMatchObject({ event: 'exit', data: { exit_code: 5 } });
    expect(String(await kept.output(counting.id)) === counted(lines)).toBe(true);
    const { started_at: startedAt } = counting;
    expect(await kept.get(counting.id)).toMatchObject({ started_at: startedAt, status: 'ended' });
    expect(await kept.end(short.id)).toMatchObject({ exit_code: 6, stdout_bytes: 16 });
    const path = `/v1/sandboxes/${box}/exec/pty?command_id=${shell.id}`;
    using socket = await TestWebSocket.open(used.api, path);
    socket.send(Buffer.from('typed\r'));
    await socket.whenShown('typed\r\ntyped');
    socket.send(Buffer.from('\x03'));
    await socket.when({ exit: 130 });
    await used.api.kill(box);
  }
});

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const kept = () => new KeptApi(used.api, box.id);

  test('through a hibernation a command goes on where memory is kept, and is lost elsewhere', async () => {
    const { id } = await kept().start('echo before; read x; echo "after $x"', { stdin: true });
    using events = await kept().follow(id);
    await waitFor(() => events.told.length === 1);
    await used.api.enter(box.id, 'hibernate');
    // To look wakes nothing.
    expect(String(await kept().output(id))).toBe('before\n');
    expect((await kept().list()).map((each) => each.id)).toContain(id);
    expect((await used.api.get(box.id)).status).toBe('hibernated');
    if (isolation === 'gvisor') {
      expect(await kept().get(id)).toMatchObject({ status: 'running' });
      // To tell it something does.
      await kept().send('PUT', id, '/stdin', 'waking\n');
      await events.ended;
      expect(textOf(events)).toBe('before\nafter waking\n');
      expect(events.told.at(-1)).toMatchObject({ event: 'exit', data: { exit_code: 0 } });
      return;
    }
    await used.api.wake(box.id);
    await events.ended;
    expect(events.told.at(-1)).toMatchObject({ event: 'exit', data: { status: 'lost' } });
    const lost = await kept().get(id);
    expect(lost).toMatchObject({ status: 'lost', stdout_bytes: 7 });
    expect(lost).not.toHaveProperty('exit_code');
    faultOf(await kept().send('PUT', id, '/stdin', 'x'), 'command_ended');
    expect((await kept().send('DELETE', id)).status).toBe(204);
  });
});
