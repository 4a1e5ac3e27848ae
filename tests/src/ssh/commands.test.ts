import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { InTerminal } from '../cli/in-terminal.ts';
import { runSandport } from '../cli/run-sandport.ts';
import { freePort, onEachIsolation, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { missingProgram, run, SshHome } from './ssh-home.ts';
import { getThroughSocks } from './through-socks.ts';

const used = useDaemon();
const missing = missingProgram('ssh');
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

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { name: `ssh-${isolation}` });
  const ssh = (...words: string[]) => home.ssh(box.id, words);

  test('commands end with their own code, or by their signal', async () => {
    const ended = await ssh('printf out; printf err >&2; exit 7');
    expect([String(ended.stdout), ended.stderr, ended.code]).toEqual(['out', 'err', 7]);
    expect((await ssh('kill -9 $$')).code).toBe(255);
    expect((await ssh('nosuch-program')).code).toBe(127);
    const named = await home.ssh(`ssh-${isolation}.default`, ['id -un; pwd']);
    expect(String(named.stdout)).toBe('user\n/home/user\n');
  });

  test('bytes come and go as they are, and the end of the input is told', async () => {
    const bytes = randomBytes(3_000_000);
    const ended = await home.ssh(box.id, ['cat'], { stdin: bytes });
    expect(ended.stdout.equals(bytes)).toBe(true);
    const [first] = (await home.ssh(box.id, ['sha256sum'], { stdin: bytes })).stdout
      .toString()
      .split(' ');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
  });

  test('both streams are whole when each waits for the other', async () => {
    const size = 3_000_000;
    const both = `head -c ${size} /dev/zero & head -c ${size} /dev/zero | tr '\\0' e >&2; wait`;
    const { stdout, stderr } = await ssh(both);
    expect([stdout.length, stderr.length]).toEqual([size, size]);
    expect(stderr).toBe('e'.repeat(size));
  });

  test('only variables of the language are taken', async () => {
    const options = ['-o', 'SendEnv=LC_ALL LD_PRELOAD', '-F', home.config, `${box.id}@sandport`];
    const env = { LC_ALL: 'POSIX', LD_PRELOAD: '' };
    const { stdout } = await run('ssh', [...options, 'echo $LC_ALL "${LD_PRELOAD-none}"'], { env });
    expect(String(stdout)).toBe('POSIX none\n');
  });

  test('a shell has a terminal, which follows the window', async () => {
    const config = { HOME: home.directory, XDG_CONFIG_HOME: home.path('config-home') };
    const size = { rows: 31, cols: 97 };
    await using terminal = new InTerminal(used, ['ssh', box.id], size, config);
    const [, device = ''] = await terminal.shows(/(\/dev\/\S+)\r\n/);
    await terminal.shows(/\$ /);
    terminal.type('echo "$TERM:$(stty size):$0"\n');
    await terminal.shows(/xterm-256color:31 97:\S*bash/);
    await terminal.resize(device, 20, 60);
    // Rows and columns change one after the other, and each is told.
    terminal.type('until [ "$(stty size)" = "20 60" ]; do sleep 0.1; done; exit 5\n');
    expect(await terminal.ended()).toBe(5);
  });

  test('a port of the sandbox is reached through -L, and no other place', async () => {
    await used.api.exec(box.id, 'mkdir -p /tmp/www; echo served > /tmp/www/index.html');
    const serve = 'cd /tmp/www; nohup python3 -m http.server 8111 >/dev/null 2>&1 &';
    await used.api.exec(box.id, serve);
    const port = await freePort();
    const stop = new AbortController();
    const forward = run(
      'ssh',
      ['-F', home.config, '-N', '-L', `${port}:localhost:8111`, `${box.id}@sandport`],
      { signal: stop.signal },
    );
    const fetched = () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        (answer) => answer.text(),
        () => undefined,
      );
    expect(await waitFor(fetched, { timeoutMs: 20_000, what: 'the forwarded server' })).toBe(
      'served\n',
    );
    stop.abort();
    await forward;
    const told = ['-o', 'LogLevel=INFO', '-F', home.config];
    for (const [place, reason] of [
      [`127.0.0.2:${home.port}`, "prohibited: only ports of the sandbox's own localhost"],
      ['127.0.0.1:9', 'connect failed: Nothing accepts connections on port 9'],
    ] as const) {
      const refused = await run('ssh', [...told, '-W', place, `${box.id}@sandport`]);
      expect([refused.code, refused.stderr]).toEqual([255, expect.stringContaining(reason)]);
    }
    const back = ['-o', 'ExitOnForwardFailure=yes', '-N', '-R', '0:localhost:1'];
    const remote = await run('ssh', ['-F', home.config, ...back, `${box.id}@sandport`]);
    expect(remote.code).toBe(255);
  });

  test('an editor starts its server, and reaches it over one connection', async () => {
    const [socks, control] = [await freePort(), home.path(`control-${isolation}`)];
    const own = ['-F', home.config, '-o', 'LogLevel=INFO'];
    const stop = new AbortController();
    const master = run(
      'ssh',
      [...own, '-T', '-A', '-N', '-M', '-S', control, '-D', `${socks}`, `${box.id}@sandport`],
      { signal: stop.signal },
    );
    try {
      const shared = (words: readonly string[], stdin = '') =>
        run('ssh', [...own, '-T', '-S', control, 'sandport', ...words], { stdin });
      const check = () => run('ssh', [...own, '-S', control, '-O', 'check', 'sandport']);
      await waitFor(async () => (await check()).code === 0, {
        timeoutMs: 20_000,
        what: 'the shared connection',
      });
      // As an editor does: a script as the input of a shell, which leaves a server behind.
      const script = `
        set -e; mkdir -p ~/.editor/www; cd ~/.editor/www; echo edited > index.html
        nohup python3 -u -m http.server 0 --bind 127.0.0.1 >~/.editor/log 2>&1 </dev/null &
        until port=$(grep -om1 'port [0-9]*' ~/.editor/log); do sleep 0.1; done
        tty || true; echo "agent==\${SSH_AUTH_SOCK-none}=="; echo "listening==\${port#port }=="
      `;
      const started = String((await shared(['bash'], script)).stdout);
      expect(started).toContain('not a tty\nagent==none==\n');
      const port = Number(/listening==(\d+)==/.exec(started)?.[1]);
      for (const host of ['localhost', '127.0.0.1'])
        expect(await getThroughSocks(socks, { host, port })).toContain('edited\n');
      expect(await getThroughSocks(socks, { host: 'example.com', port })).toBe('');

      const meet = `mkdir -p m; touch m/$0; until [ $(ls m | wc -l) = 8 ]; do sleep 0.05; done; echo $0`;
      const sessions = Array.from({ length: 8 }, (_, index) =>
        shared([`sh -c '${meet}' ${index}`]),
      );
      const said = (await Promise.all(sessions)).map(({ stdout }) => String(stdout));
      expect(said).toEqual(sessions.map((_, index) => `${index}\n`));
    } finally {
      stop.abort();
      await master;
    }
  });

  test('a client that goes away hangs up', async () => {
    const stop = new AbortController();
    const line = 'echo $$ > /tmp/pid; exec sleep 1000';
    const ended = home.ssh(box.id, [line], { signal: stop.signal });
    const pid = () =>
      used.api
        .exec(box.id, 'cat /tmp/pid')
        .then(({ stdout }) => (stdout === '' ? undefined : stdout.trim()));
    const found = await waitFor(pid, { timeoutMs: 20_000, what: 'the command' });
    stop.abort();
    await ended;
    const isGone = async () =>
      (await used.api.exec(box.id, `kill -0 ${found} 2>/dev/null || echo gone`)).stdout !== '';
    await waitFor(isGone, { timeoutMs: 20_000, what: 'the end of the command' });
  });

  test('a sandbox that sleeps is woken', async () => {
    await used.api.send('POST', `/v1/sandboxes/${box.id}/hibernate`);
    expect(String((await ssh('echo awake')).stdout)).toBe('awake\n');
  });
});

test('the command line makes a key, registers it and finds the sandbox', async () => {
  const box = await used.api.create({ isolation: used.daemon.isolations.at(-1) ?? 'container' });
  const env = { HOME: home.directory, XDG_CONFIG_HOME: home.path('cli') };
  const ended = await runSandport(
    used,
    ['ssh', box.id, '--', 'sh', '-c', 'echo "$0"; exit 3', 'a  b'],
    {
      env,
    },
  );
  expect([String(ended.stdout), ended.exitCode]).toEqual(['a  b\n', 3]);
  const merged = await runSandport(used, ['ssh-config', '--merge', box.id], { env });
  expect(merged.exitCode).toBe(0);
  const config = home.path('.ssh/config');
  const own = await run('ssh', ['-F', config, `${box.id}.sandport`, 'echo', 'configured']);
  expect(String(own.stdout)).toBe('configured\n');
  const listed = await runSandport(used, ['ssh-keys', 'ls', '--json'], { env });
  expect(String(listed.stdout)).toContain('"label": "sandport ');
});
