import { Client, NetworkError, Sandbox } from 'sandport';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, onEachIsolation, startDaemon, type TestDaemon } from '../harness/index.ts';
import { failure } from './sdk-sandbox.ts';

// One address over all starts, so that the same objects go on.
let daemon: TestDaemon;
let client: Client;
beforeAll(async () => {
  daemon = await startDaemon({ args: ['--listen', `127.0.0.1:${await freePort()}`] });
  client = new Client({ url: daemon.url, apiKey: daemon.apiKey });
});
afterAll(() => daemon[Symbol.asyncDispose]());

const used = {
  get daemon() {
    return daemon;
  },
  get api() {
    return daemon.api;
  },
};

onEachIsolation(used, (isolation) => {
  test('a sandbox object goes on after the daemon was killed and started again', async () => {
    await using sandbox = await Sandbox.create({ isolation }, client);
    const { filesystem, commands } = sandbox;
    await filesystem.write('/workspace/f', 'old');
    const { stdout: pid } = await commands.run('sleep 300 >/dev/null 2>&1 & echo $!');
    const line = 'seq 1 5; read x; seq 6 9; exit 4';
    const kept = await commands.run(line, { background: true, stdin: true });
    const counted = kept.wait();
    let shown = '';
    const pty = await sandbox.pty.create({
      rows: 24,
      cols: 80,
      cmd: 'cat',
      onData: (bytes) => void (shown += Buffer.from(bytes).toString()),
    });
    await expect.poll(() => kept.stdout).toBe('1\n2\n3\n4\n5\n');
    // Several connections are kept open and will be stale.
    await Promise.all(Array.from({ length: 8 }, () => commands.run('sleep 0.1')));

    let sent = 0;
    async function* endless() {
      for (;;) yield Buffer.alloc(64 * 1024);
    }
    const upload = failure(
      filesystem.write('/workspace/f', endless(), { onProgress: ({ bytes }) => (sent = bytes) }),
    );
    const waiting = failure(commands.run('sleep 100'));
    await expect.poll(() => sent, { timeout: 10_000 }).toBeGreaterThan(1_000_000);
    await daemon.kill9();
    expect(await upload).toBeInstanceOf(NetworkError);
    expect(await waiting).toBeInstanceOf(NetworkError);
    // The kernel may close what the daemon held open a moment after its end.
    const refused = async () => String(await failure(commands.run('true')));
    await expect.poll(refused).toContain('sandport serve');

    await daemon.start();
    expect(await commands.run(`kill -0 ${pid.trim()} && echo alive`)).toMatchObject({
      stdout: 'alive\n',
    });
    await kept.sendStdin('on\n');
    expect(await counted).toMatchObject({ stdout: '1\n2\n3\n4\n5\n6\n7\n8\n9\n', exitCode: 4 });
    await pty.write('typed\r');
    await expect.poll(() => shown).toContain('typed\r\ntyped');
    await pty.kill();
    expect(await pty.wait()).toMatchObject({ signal: 'SIGKILL' });
    expect(await filesystem.read('/workspace/f')).toBe('old');
    expect((await filesystem.list('/workspace')).map(({ name }) => name)).toEqual(['f']);
    expect((await sandbox.refresh()).status).toBe('running');
  });

  test('events are followed over a restart of the daemon, none missed', async () => {
    const sandbox = await Sandbox.create({ isolation }, client);
    const retries: string[] = [];
    const seen: string[] = [];
    const onRetry = ({ error }: { error: Error }) => retries.push(error.name);
    for await (const { type } of sandbox.followEvents({ tail: 5, onRetry })) {
      seen.push(type);
      if (type === 'created') {
        await daemon.kill9();
        await daemon.start();
        await sandbox.pause();
        await sandbox.kill();
      }
    }
    expect(seen).toEqual(['created', 'paused', 'deleted']);
    expect(retries).toContain('NetworkError');
  });

  test('a read during a quick restart of the daemon is asked again', async () => {
    await using sandbox = await Sandbox.create({ isolation }, client);
    await sandbox.filesystem.write('/workspace/f', 'text');
    await daemon.restart();
    expect(await sandbox.filesystem.read('/workspace/f')).toBe('text');
    expect(await sandbox.commands.run('cat /workspace/f')).toMatchObject({ stdout: 'text' });
  });
});
