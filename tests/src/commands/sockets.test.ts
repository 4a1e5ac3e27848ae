import { readFileSync } from 'node:fs';
import { maxSocketCommands } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  expectServing,
  faultOf,
  onEachIsolation,
  openSocket,
  TestWebSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { KeptApi } from './kept-api.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const path = (route: string) => `/v1/sandboxes/${box.id}/${route}`;
  const openExec = () => TestWebSocket.open(used.api, path('exec/ws'));
  const kept = () => new KeptApi(used.api, box.id);
  const isRunning = async (argument: string) =>
    (await used.api.exec(box.id, `pgrep -f '^sleep ${argument}$'`)).exit_code === 0;

  test('many commands share a connection, and each is told by its id', async () => {
    using socket = await openExec();
    socket.send({ id: 1, cmd: 'echo out; echo err >&2; exit 3' });
    socket.send({ id: 'cat', args: ['cat'], stdin: true, verbose: true });
    socket.send({ id: 3, args: ['sleep', '1000'] });
    socket.send({ id: 4, cmd: 'kill -9 $$', env: { A: '1' }, cwd: '/tmp', user: 'root' });
    expect(await socket.when({ id: 1, exit: 3 })).not.toHaveProperty('started');
    expect(socket.messages).toContainEqual({ id: 1, stream: 'stderr', data: 'err\n' });
    expect(await socket.when({ id: 4, exit: 137 })).toMatchObject({ signal: 'SIGKILL' });
    socket.send({ id: 'cat', stdin: 'text ' });
    socket.send({ id: 'cat', stdin_base64: Buffer.from([0xff]).toString('base64') });
    await socket.when({ id: 'cat', taken: 6 });
    socket.send({ id: 'cat', eof: true });
    await socket.when({ id: 'cat', exit: 0 });
    const shown = socket.messages.filter((each) => each['id'] === 'cat' && 'stream' in each);
    const bytes = shown.map(({ data, data_base64: base64 }) =>
      base64 === undefined ? Buffer.from(String(data)) : Buffer.from(String(base64), 'base64'),
    );
    expect(Buffer.concat(bytes)).toEqual(Buffer.from('text \xff', 'latin1'));
    socket.send({ id: 3, cancel: true });
    expect(await socket.when({ id: 3, exit: 143 })).toMatchObject({ signal: 'SIGTERM' });
    // The id is free again.
    socket.send({ id: 3, args: ['true'] });
    await socket.when({ id: 3, exit: 0 });
  });

  test('a command that takes nothing, or writes much, holds up no other', async () => {
    using socket = await openExec();
    const filler = 'x'.repeat(100_000);
    socket.send({ id: 'deaf', args: ['sleep', '1000'], stdin: true });
    for (let count = 0; count < 10; count++) socket.send({ id: 'deaf', stdin: filler });
    socket.send({ id: 'loud', cmd: 'yes' });
    await waitFor(() => socket.messages.some(({ id }) => id === 'loud'));
    socket.send({ id: 'next', cmd: 'echo here' });
    await socket.when({ id: 'next', exit: 0 });
    expect(socket.outputOf('next')).toBe('here\n');
    socket.send({ id: 'loud', cancel: true });
    await socket.when({ id: 'loud', exit: 143 });
    socket.send({ id: 'deaf', signal: 'SIGINT' });
    expect(await socket.when({ id: 'deaf', exit: 130 })).toMatchObject({ signal: 'SIGINT' });
  });

  test('what is in the foreground ends with the connection, what is kept goes on', async () => {
    const socket = await openExec();
    socket.send({ id: 1, args: ['sleep', '1001'] });
    socket.send({ id: 2, args: ['sleep', '1002'], keep: true, verbose: true });
    const { started } = await waitFor(() => socket.messages.find(({ id }) => id === 2));
    const id = String(Reflect.get(Object(started), 'command_id'));
    await waitFor(() => isRunning('1001'));
    await socket.close();
    await waitFor(async () => !(await isRunning('1001')));
    expect(await kept().get(id)).toMatchObject({ status: 'running' });
    await kept().send('DELETE', id);
  });

  test('a terminal: size, keys, Ctrl-C, and its exit', async () => {
    using socket = await TestWebSocket.open(used.api, path('exec/pty?rows=33&cols=101'));
    await waitFor(() => socket.shown.includes('$ '));
    socket.send(Buffer.from('stty size; echo $TERM\r'));
    await socket.whenShown('33 101');
    await socket.whenShown('xterm-256color');
    socket.send({ resize: { rows: 44, cols: 55 } });
    socket.send({ stdin: 'stty size; sleep 1000\r' });
    await socket.whenShown('44 55');
    for (const size of [
      { rows: 0, cols: 0 },
      { rows: 1_000_000, cols: 80 },
    ])
      socket.send({ resize: size });
    expect(await socket.when({ code: 'invalid_request' })).toHaveProperty('error');
    socket.send(Buffer.from('\x03'));
    socket.send(Buffer.from('exit 7\r'));
    expect(await socket.when({ exit: 7 })).toBeDefined();
    expect(await socket.closed).toBe(1000);
  });

  test('a terminal is hung up with its connection; one that is kept is taken up again', async () => {
    const lost = await TestWebSocket.open(used.api, path('ssh?cmd=sleep%201003'));
    await waitFor(() => isRunning('1003'));
    lost.socket.terminate();
    await waitFor(async () => !(await isRunning('1003')));
    const first = await TestWebSocket.open(used.api, path('exec/pty?keep=1&cmd=cat'));
    const { command_id: id } = await waitFor(() => first.messages[0]);
    first.send(Buffer.from('typed before\r'));
    await first.whenShown('typed before\r\ntyped before');
    first.socket.terminate();
    const again = `exec/pty?command_id=${String(id)}&rows=10&cols=20`;
    using second = await TestWebSocket.open(used.api, path(again));
    await second.whenShown('typed before\r\ntyped before');
    second.send(Buffer.from('and after\r'));
    await second.whenShown('and after\r\nand after');
    second.send(Buffer.from('\x03'));
    await second.when({ exit: 130 });
    const refused = TestWebSocket.open(used.api, path(`exec/pty?command_id=${String(id)}`));
    await expect(refused).rejects.toThrow(/409.*command_ended/);
    await kept().send('DELETE', String(id));
    const plain = await kept().start('sleep 1000');
    const noTerminal = TestWebSocket.open(used.api, path(`exec/pty?command_id=${plain.id}`));
    await expect(noTerminal).rejects.toThrow(/409.*not_a_terminal/);
    await kept().send('DELETE', plain.id);
  });
});

const box = () => waitFor(async () => (await used.api.list())[0] ?? used.api.create());

test('messages that make no sense are answered, and the connection goes on', async () => {
  const { id } = await box();
  using socket = await TestWebSocket.open(used.api, `/v1/sandboxes/${id}/exec/ws`);
  const bad = ['', '[]', 'null', '{', '{"id":{}}', '{"cmd":"x"}', '{"id":1}', '"text"'];
  for (const message of bad) socket.send(message);
  socket.send(Buffer.from('{"id":1,"cmd":"true"}'));
  socket.send({ id: 1, cmd: 'true', strange: 1 });
  socket.send({ id: 1, cmd: 'a', args: ['b'] });
  socket.send({ id: 'x'.repeat(200), cmd: 'a' });
  socket.send({ id: 1, stdin: 'x', eof: true });
  await waitFor(() => socket.messages.length === bad.length + 5);
  expect(new Set(socket.messages.map(({ code }) => code))).toEqual(new Set(['invalid_request']));
  socket.send({ id: 1, eof: true });
  await socket.when({ id: 1, code: 'command_not_found' });
  socket.send({ id: 2, args: ['/no/such'] });
  await socket.when({ id: 2, code: 'command_not_started' });
  socket.send({ id: 2, args: ['sleep', '1000'] });
  socket.send({ id: 2, args: ['true'] });
  await socket.when({ id: 2, code: 'invalid_request' });
  socket.send({ id: 2, stdin: 'x' });
  await socket.when({ id: 2, code: 'stdin_closed' });
});

test('a client that reads nothing is not heard on, and takes its commands with it', async () => {
  const { id } = await box();
  using socket = await TestWebSocket.open(used.api, `/v1/sandboxes/${id}/exec/ws`);
  socket.send({ id: 1, cmd: 'exec yes the-same-line' });
  await waitFor(() => socket.messages.length > 0);
  const residentKib = () =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${used.daemon.pid}/status`, 'utf8'))?.[1]);
  const before = residentKib();
  socket.socket.pause();
  // Answers to these are far more than the daemon may hold for it.
  const message = JSON.stringify(['x'.repeat(200)]);
  for (let count = 0; count < 100_000; count++) socket.send(message);
  // What does not fit into the sockets stays here.
  await waitFor(() => socket.socket.bufferedAmount > 0);
  await expectServing(used, id);
  expect(residentKib() - before).toBeLessThan(64 * 1024);
  socket.socket.terminate();
  const isRunning = async () =>
    (await used.api.exec(id, "pgrep -f '^yes the-same-line$'")).exit_code === 0;
  await waitFor(async () => !(await isRunning()));
});

test('a connection has a bounded number of commands', async () => {
  const { id } = await box();
  using socket = await TestWebSocket.open(used.api, `/v1/sandboxes/${id}/exec/ws`);
  for (let index = 0; index <= maxSocketCommands; index++)
    socket.send({ id: index, args: ['sleep', '1000'] });
  expect(await socket.when({ id: maxSocketCommands })).toMatchObject({ code: 'limit_reached' });
  expect(socket.messages.filter(({ code }) => code === 'limit_reached')).toHaveLength(1);
});

test('a message of a gigabyte is cut off by its head', async () => {
  const { id } = await box();
  for (const route of ['exec/ws', 'exec/pty?cmd=cat']) {
    using socket = await TestWebSocket.open(used.api, `/v1/sandboxes/${id}/${route}`);
    // The head of a masked text frame that announces 2^30 bytes.
    const head = Buffer.from('81ff000000004000000000000000', 'hex');
    // Reaching below the library: it would not say what it does not send.
    const raw: unknown = Reflect.get(socket.socket, '_socket');
    (raw as { write(bytes: Buffer): void }).write(head);
    expect(await socket.closed).toBe(1009);
  }
  await expectServing(used, id);
});

test('keys come by header, subprotocol or query; foreign pages are refused', async () => {
  const { id } = await box();
  const path = `/v1/sandboxes/${id}/exec/ws`;
  const { apiKey, url } = used.api;
  const open = (query: string, options: Parameters<typeof TestWebSocket.open>[2]) =>
    TestWebSocket.open(used.api, path + query, { withKey: false, ...options });
  (await open(`?access_token=${apiKey}`, {})).socket.terminate();
  const chosen = await open('', { subprotocols: [`bearer.${apiKey}`, 'sandport'] });
  expect(chosen.socket.protocol).toBe('sandport');
  chosen.socket.terminate();
  (await open('', { subprotocols: [`bearer.${apiKey}`] })).socket.terminate();
  (await open('', { withKey: true, origin: url })).socket.terminate();
  await expect(open('', {})).rejects.toThrow(/401.*unauthorized/);
  await expect(open('?access_token=wrong', {})).rejects.toThrow(/401/);
  for (const origin of ['https://evil.example', 'null', `${url}.evil.example`])
    await expect(open('', { withKey: true, origin })).rejects.toThrow(/403.*origin_not_allowed/);
  const { api: stranger } = await used.api.newKey({ namespaces: ['elsewhere'] });
  await expect(TestWebSocket.open(stranger, path)).rejects.toThrow(/404.*sandbox_not_found/);
  const terminal = `/v1/sandboxes/${id}/exec/pty`;
  for (const query of ['rows=0', 'cols=1000000', 'user=%00', 'cwd=relative'])
    await expect(TestWebSocket.open(used.api, `${terminal}?${query}`)).rejects.toThrow(/400/);
  for (const each of ['exec/ws', 'exec/pty', 'ssh'])
    faultOf(await used.api.send('GET', `/v1/sandboxes/${id}/${each}`), 'upgrade_required');
});

test('broken handshakes and half-open connections leave nothing', async () => {
  const { id } = await box();
  const path = `/v1/sandboxes/${id}/exec/pty?cmd=sleep%201004`;
  const head = (more: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.api.apiKey}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
  const answerTo = async (request: string) => {
    const socket = await openSocket(used.api.url);
    socket.write(request);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  };
  expect(await answerTo(head(''))).toMatch(/^HTTP\/1.1 400 [^]*"invalid_request"/);
  expect(await answerTo(head('Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n'))).toMatch(
    / 400 /,
  );
  const isRunning = async () =>
    (await used.api.exec(id, `pgrep -f '^sleep 1004$'`)).exit_code === 0;
  expect(await isRunning()).toBe(false);
  const good = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const socket = await openSocket(used.api.url);
  socket.write(head(good));
  await waitFor(isRunning);
  // It says that it sends nothing any more, and would read for ever.
  socket.end();
  await waitFor(async () => !(await isRunning()));
  socket.destroy();
});
