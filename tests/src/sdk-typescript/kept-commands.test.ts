import { createHash, randomBytes } from 'node:crypto';
import { ConflictError, NotFoundError, Sandbox } from 'sandport';
import { expect, test } from 'vitest';
import { CuttingProxy, onEachIsolation, useDaemon } from '../harness/index.ts';
import { failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation);
  const commands = () => made.sandbox.commands;
  /** Number of lines that match among the command lines of all processes: 0 or 1. */
  const running = async (pattern: string) =>
    (await commands().run(`cat /proc/[0-9]*/cmdline | grep -ac '${pattern}'`)).stdout.trim();

  test('a command in the background is listed, read, told and forgotten', async () => {
    const line =
      'echo out; echo err >&2; trap "echo term; exit 5" TERM; while :; do sleep 0.05; done';
    const handle = await commands().run(line, { background: true, cwd: '/tmp' });
    expect(handle.pid).toBeGreaterThan(1);
    expect((await commands().list({ status: 'running' })).map(({ id }) => id)).toEqual([handle.id]);
    await expect.poll(async () => (await handle.refresh()).stdout_bytes).toBe(4);
    const part = await handle.output({ since: 1, limit: 2 });
    expect([Buffer.from(part.bytes).toString(), part.offset, part.nextOffset]).toEqual([
      'ut',
      1,
      3,
    ]);

    const again = await commands().connect(handle.id, { since: { stdout: 4 } });
    await handle.kill('SIGTERM');
    expect(await handle.wait()).toMatchObject({
      stdout: 'out\nterm\n',
      stderr: expect.stringMatching(/^err\n/),
      exitCode: 5,
    });
    expect(await again.wait()).toMatchObject({ stdout: 'term\n', exitCode: 5 });
    await handle.kill();
    expect(await failure(handle.sendStdin('x'))).toBeInstanceOf(ConflictError);
    expect((await commands().get(handle.id)).exitCode).toBe(5);
    await handle.remove();
    expect(await failure(commands().get(handle.id))).toBeInstanceOf(NotFoundError);
  });

  test('input goes to it while it runs', async () => {
    const handle = await commands().run('cat', { background: true, stdin: true });
    await handle.sendStdin('one ');
    await handle.sendStdin(new Uint8Array([0, 255]));
    await handle.closeStdin();
    const bytes: number[] = [];
    for await (const event of handle) if (event.type === 'stdout') bytes.push(...event.bytes);
    expect(Buffer.from(bytes)).toEqual(Buffer.from([...Buffer.from('one '), 0, 255]));
    await handle.remove();
    const given = await commands().run('sort', { background: true, stdin: 'b\na\n' });
    expect((await given.wait()).stdout).toBe('a\nb\n');
    await given.remove();
  });

  test('a stream is read as it comes, with exact bytes', async () => {
    const content = randomBytes(4_500_000);
    async function* pieces() {
      for (let at = 0; at < content.length; at += 700_000) yield content.subarray(at, at + 700_000);
    }
    const streamed = await commands().run('sha256sum', { stdin: pieces() });
    expect(streamed.stdout).toContain(sha256(content));
    // What is too large for one request is streamed, too.
    const whole = await commands().run('sha256sum', { stdin: content });
    expect(whole.stdout).toContain(sha256(content));
    // Input and output at one time, both larger than any pipe.
    const hash = createHash('sha256');
    const command = await commands().open('cat');
    const fed = command.sendStdin(content).then(() => command.closeStdin());
    for await (const event of command) if (event.type === 'stdout') hash.update(event.bytes);
    await fed;
    expect(hash.digest('hex')).toBe(sha256(content));
  });

  test('a live command hears signals, and ends with its connection', async () => {
    const command = await commands().open(['sleep', '345']);
    await command.kill('SIGINT');
    expect(await command.wait()).toMatchObject({ exitCode: 130, signal: 'SIGINT' });
    const left = await commands().open('exec sleep 543');
    await expect.poll(() => running('sleep.54[3]')).toBe('1');
    await left.disconnect();
    await expect.poll(() => running('sleep.54[3]')).toBe('0');
    expect(await failure(commands().open(['no-such-program']))).toMatchObject({
      code: 'command_not_started',
    });
  });

  test('a command that may be reconnected lives through broken connections', async () => {
    await using proxy = await CuttingProxy.start(() => used.daemon.url);
    const there = await Sandbox.get(made.sandbox.id, {
      url: proxy.url,
      apiKey: used.daemon.apiKey,
    });
    // Bytes behind the heads of answers, in the middle of the output.
    proxy.cutAnswersAfter(20_000, 30_000, 40_000);
    const retries: string[] = [];
    const result = await there.commands.run('seq 1 40000; echo err >&2; exit 3', {
      reconnect: true,
      onRetry: ({ error }) => void retries.push(error.code),
    });
    const expected = Array.from({ length: 40_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(result.stdout === expected).toBe(true);
    expect(result).toMatchObject({ stderr: 'err\n', exitCode: 3, truncated: false });
    expect(retries.length).toBeGreaterThan(0);
    expect(await commands().list()).toEqual([]);
  });

  test('a terminal has a size, takes keys, and can be taken up again', async () => {
    let shown = '';
    const onData = (bytes: Uint8Array) => void (shown += Buffer.from(bytes).toString());
    const pty = await made.sandbox.pty.create({ rows: 30, cols: 90, onData });
    await pty.write('stty size; echo $((40+2))-$TERM\r');
    await expect.poll(() => shown).toContain('30 90');
    await expect.poll(() => shown).toMatch(/42-xterm/);
    await pty.resize({ rows: 31, cols: 91 });
    await pty.write('stty size\r');
    await expect.poll(() => shown).toContain('31 91');
    await pty.disconnect();
    expect(await failure(pty.wait())).toBeInstanceOf(Error);

    let later = '';
    const again = await made.sandbox.pty.connect(pty.id, {
      onData: (bytes) => void (later += Buffer.from(bytes).toString()),
    });
    await again.write('echo la"ter"; exit 6\r');
    expect(await again.wait()).toMatchObject({ exitCode: 6 });
    expect(later).toContain('later');
    expect(later).not.toContain('31 91');
    await again.remove();
    const killed = await made.sandbox.pty.create({ rows: 2, cols: 20, cmd: ['sleep', '100'] });
    await killed.kill();
    expect(await killed.wait()).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
    await killed.remove();
  });
});
