import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  exchange,
  type HttpAnswer,
  type HttpRequest,
  onEachIsolation,
  openSocket,
  type UsedSandbox,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon({ kubernetes: true });

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { name: `box-${isolation}` });
  const nameOf = ({ object }: UsedSandbox) => object.name ?? '';

  const fields = (port = 8888): Record<string, string> => ({
    authorization: `Bearer ${used.daemon.apiKey}`,
    'x-sandbox-id': nameOf(box),
    'x-sandbox-port': String(port),
  });
  const ask = (
    path: string,
    request: Partial<HttpRequest> = {},
    port = 8888,
  ): Promise<HttpAnswer> =>
    exchange(used.daemon.url, {
      ...request,
      path: `/agent-sandbox/router${path}`,
      headers: { ...fields(port), ...request.headers },
    });
  const jsonOf = (answer: HttpAnswer): unknown => JSON.parse(answer.body.toString());
  const run = async (command: string, more: object = {}, headers: Record<string, string> = {}) =>
    jsonOf(
      await ask('/execute', {
        method: 'POST',
        body: JSON.stringify({ command, ...more }),
        headers,
      }),
    );
  const upload = (fileName: string, content: string) =>
    ask('/upload', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: `--b\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\n\r\n${content}\r\n--b--\r\n`,
    });
  const read = async (path: string) =>
    (await ask(`/download/${encodeURIComponent(path)}`)).body.toString();

  describe('paths', () => {
    test.each([
      ['plain.txt', '/home/user/plain.txt'],
      ['home/user/cut.txt', '/home/user/cut.txt'],
      ['/home/user/whole.txt', '/home/user/whole.txt'],
      ['deep/er/file.txt', '/home/user/deep/er/file.txt'],
      ['workspace/w.txt', '/workspace/w.txt'],
      ['tmp/t.txt', '/tmp/t.txt'],
      ['q%22uote%20.txt', '/home/user/q"uote%20.txt'],
    ])('an upload as %s is %s for a command', async (sent, real) => {
      expect((await upload(sent, `of ${sent}`)).status).toBe(200);
      expect(await run(`cat '${real}'; stat -c %U '${real}'`)).toMatchObject({
        stdout: `of ${sent}user\n`,
      });
      expect(await read(real)).toBe(`of ${sent}`);
      expect(await read(sent.replaceAll('%22', '"'))).toBe(`of ${sent}`);
    });

    test('links of the sandbox lead nowhere outside of it', async () => {
      await run('ln -sfn /etc etc-link; ln -sfn ../../../../../../../etc/hostname up');
      expect(await read('up')).toBe(await read('/etc/hostname'));
      expect((await upload('etc-link/written', 'inside')).status).toBe(200);
      expect(await read('/etc/written')).toBe('inside');
    });
  });

  test('a listing survives whatever lies in a directory', async () => {
    await run(
      `mkdir -p odd; cd odd; mkfifo fifo; ln -s nowhere broken; ln -s . self; mkdir sub; printf x > 'a"b\n'; printf x > "$(printf '\\377')"; i=0; while [ $i -lt 3000 ]; do : > many-$i; i=$((i+1)); done`,
    );
    const entries = jsonOf(await ask('/list/odd')) as { name: string; type: string }[];
    // gVisor makes no FIFOs in files that it shares with the host.
    expect(entries).toHaveLength(isolation === 'gvisor' ? 3005 : 3006);
    const types = Object.fromEntries(entries.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      ...(isolation === 'gvisor' ? {} : { fifo: 'file' }),
      broken: 'file',
      self: 'directory',
      sub: 'directory',
      'a"b\n': 'file',
      '\uFFFD': 'file',
    });
    expect((await ask('/download/odd%2Ffifo')).status).toBe(404);
  });

  test('ranges, validators and only the head of a download', async () => {
    await upload('range.txt', '0123456789');
    const part = await ask('/download/range.txt', { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.body.toString()]).toEqual([206, '234']);
    expect(part.headers['content-range']).toBe('bytes 2-4/10');
    const etag = part.headers.etag ?? '';
    const same = await ask('/download/range.txt', { headers: { 'if-none-match': etag } });
    expect(same.status).toBe(304);
    const head = await ask('/download/range.txt', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '10', 0]);
    const far = await ask('/download/range.txt', { headers: { range: 'bytes=99-' } });
    expect(far.status).toBe(416);
  });

  describe('commands', () => {
    test('end when their time has come, with all that they started', async () => {
      for (const [more, headers] of [
        [{ timeout_seconds: 0.5 }, {}],
        [{}, { 'x-sandbox-timeout': '0.5' }],
      ] as const)
        expect(await run('echo begun; sleep 87 & sleep 87', more, headers)).toMatchObject({
          stdout: 'begun\n',
          exit_code: 124,
          timed_out: true,
        });
      await sleep(300);
      expect(await run(`ps ax | grep -c '[s]leep 87'`)).toMatchObject({ stdout: '0\n' });
    });

    test('tell of signals, bytes and too much output', async () => {
      expect(await run('kill -9 $$')).toMatchObject({ exit_code: -9 });
      expect(await run(`printf 'a\\377b'`)).toMatchObject({ stdout: 'a\uFFFDb', exit_code: 0 });
      const much = await run('head -c 11000000 /dev/zero | tr "\\0" x');
      expect(much).toMatchObject({ exit_code: 0, stderr: expect.stringContaining('was cut') });
    });

    /** Sends a request and goes away after a while, as a client does that gives up reading. */
    async function giveUp(command: string, afterMs: number): Promise<void> {
      const body = JSON.stringify({ command });
      const socket = await openSocket(used.daemon.url);
      const lines = Object.entries({ ...fields(), 'content-length': body.length, host: 'x' });
      const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n');
      socket.write(`POST /agent-sandbox/router/execute HTTP/1.1\r\n${head}\r\n\r\n${body}`);
      await sleep(afterMs);
      socket.destroy();
    }

    test('run once although their client gives up and sends them again', async () => {
      const command = 'echo run >> counter; sleep 1.5; wc -l < counter';
      await giveUp(command, 400);
      await giveUp(command, 400);
      expect(await run(command)).toMatchObject({ stdout: '1\n' });
      // That one was answered: the next is another.
      expect(await run(command)).toMatchObject({ stdout: '2\n' });
    });

    test('are ended some time after their client has gone', async () => {
      await giveUp('sleep 93; echo over > over', 300);
      await sleep(1000);
      const running = `ps ax | grep -c '[s]leep 93'`;
      expect(await run(running)).not.toMatchObject({ stdout: '0\n' });
      await sleep(12_500);
      expect(await run(`${running} #`)).toMatchObject({ stdout: '0\n' });
    });
  });

  test('a broken upload leaves nothing', async () => {
    await upload('kept.txt', 'old');
    const socket = await openSocket(used.daemon.url);
    const head = Object.entries({
      ...fields(),
      host: 'x',
      'content-length': 1_000_000,
      'content-type': 'multipart/form-data; boundary=b',
    }).map(([name, value]) => `${name}: ${value}`);
    socket.write(`POST /agent-sandbox/router/upload HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
    socket.write(
      '--b\r\nContent-Disposition: form-data; name="file"; filename="kept.txt"\r\n\r\nnew',
    );
    await sleep(200);
    socket.destroy();
    await sleep(200);
    expect(await read('kept.txt')).toBe('old');
    expect(await run('ls -A | grep -c tmp')).toMatchObject({ stdout: '0\n' });
  });

  describe('a program in the sandbox', () => {
    const port = 5000;

    test('answers at its port, whole', async () => {
      await run(
        `cat > server.py <<'END'
import http.server, hashlib
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        digest = hashlib.sha256(self.rfile.read(int(self.headers['Content-Length']))).hexdigest()
        body = (self.path + ' ' + digest + ' ' + str(self.headers.get('Authorization'))).encode()
        self.send_response(201)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.send_response(101)
        self.send_header('Upgrade', 'echo')
        self.send_header('Connection', 'Upgrade')
        self.end_headers()
        self.wfile.write(self.rfile.read(5).upper())
        self.close_connection = True
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(('127.0.0.1', ${port}), Handler).serve_forever()
END
nohup python3 server.py > server.log 2>&1 & sleep 0.1`,
      );
      const body = Buffer.alloc(3_000_000, 'x');
      await expect
        .poll(async () => (await ask('/a%2Fb?c', { method: 'POST', body: 'x' }, port)).status, {
          timeout: 10_000,
        })
        .toBe(201);
      const answer = await ask('/a%2Fb?c', { method: 'POST', body }, port);
      const digest = createHash('sha256').update(body).digest('hex');
      expect(answer.body.toString()).toBe(`/a%2Fb?c ${digest} None`);
    });

    test('takes upgraded connections', async () => {
      const { hostname, port: daemonPort } = new URL(used.daemon.url);
      const socket = connect(Number(daemonPort), hostname);
      const head = Object.entries({
        ...fields(port),
        host: 'x',
        upgrade: 'echo',
        connection: 'Upgrade',
      });
      socket.write(
        `GET /agent-sandbox/router/up HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\nhello`,
      );
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 101 /);
      expect(answer.endsWith('\r\n\r\nHELLO')).toBe(true);
    });

    test('is no other port, and not the machine', async () => {
      const { port: daemonPort } = new URL(used.daemon.url);
      for (const other of [5001, 22, Number(daemonPort)])
        expect((await ask('/', {}, other)).status).toBe(502);
    });
  });

  test('a hibernated sandbox is read as it is, and wakes for a command', async () => {
    await upload('asleep.txt', 'still here');
    const { id } = box;
    await used.api.send('POST', `/v1/sandboxes/${id}/hibernate`);
    expect(await read('asleep.txt')).toBe('still here');
    expect((await used.api.get(id)).status).toBe('hibernated');
    expect(await run('cat asleep.txt')).toMatchObject({ stdout: 'still here', exit_code: 0 });
    expect((await used.api.get(id)).status).toBe('running');
  });
});
