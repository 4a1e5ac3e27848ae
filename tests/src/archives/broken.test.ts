import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  exchange,
  faultOf,
  filePath,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { rawEntry, rawTar } from '../harness/raw-tar.ts';
import { gnuTar } from './local-trees.ts';

const used = useDaemon();
const mib = 1024 * 1024;
const zstd = (bytes: Buffer): Buffer => execFileSync('zstd', ['-q', '-c'], { input: bytes });

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const archive = (path: string) => filePath(box.id, '/archive', path);
  const put = (path: string, body: Uint8Array, query = '') =>
    used.api.send('PUT', `${archive(path)}${query}`, { body });
  const names = (path: string) => used.api.names(box.id, path);

  test('what came before a connection broke stays, whole; the rest is not there', async () => {
    const whole = rawEntry({ name: 'whole', content: 'whole' });
    const half = rawEntry({ name: 'half', content: Buffer.alloc(4 * mib, 'h') });
    const { hostname, port } = new URL(used.daemon.url);
    const socket = connect(Number(port), hostname);
    const requestId = `cut-on-${isolation}`;
    socket.write(
      `PUT ${archive('/tmp/cut')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${used.daemon.apiKey}\r\nX-Request-Id: ${requestId}\r\nContent-Length: ${8 * mib}\r\n\r\n`,
    );
    socket.write(Buffer.concat([whole, half.subarray(0, 2 * mib)]));
    await waitFor(
      async () => (await used.api.statAnswer(box.id, '/tmp/cut/whole')).status === 200 || undefined,
      { timeoutMs: 10_000, what: 'the first file' },
    );
    socket.destroy();
    await waitFor(async () => (await used.daemon.log()).some((line) => line['id'] === requestId), {
      timeoutMs: 10_000,
      what: 'the end of the upload',
    });
    expect(await names('/tmp/cut')).toEqual(['whole']);
    expect(String(await used.api.read(box.id, '/tmp/cut/whole'))).toBe('whole');
  });

  test('a packed archive that is damaged is refused, whatever it is packed with', async () => {
    const tar = rawTar({ name: 'x', content: randomBytes(300_000) });
    const packed = { gzip: gzipSync(tar), zstd: zstd(tar) };
    for (const [kind, bytes] of Object.entries(packed)) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0xff, 1000, 1100);
      const cut = bytes.subarray(0, bytes.length - 100);
      for (const body of [damaged, cut, bytes.subarray(0, 3)]) {
        faultOf(await put(`/tmp/damaged-${kind}`, body), 'invalid_archive');
      }
      expect(await names(`/tmp/damaged-${kind}`)).toEqual([]);
    }
  });

  test('10 GB of zeros in 10 MB end at the limit', async () => {
    const zeros = rawEntry({ name: 'zeros', size: 10_000 * mib });
    const bomb = Buffer.concat([
      gzipSync(zeros),
      ...Array<Buffer>(64).fill(gzipSync(Buffer.alloc(16 * mib))),
    ]);
    const answer = await put('/tmp/bomb', bomb, `&max_bytes=${100 * mib}`);
    expect(faultOf(answer, 'payload_too_large')['limit_bytes']).toBe(100 * mib);
    // Not even an entry: blocks of zeros, which are nothing.
    const nothing = Buffer.concat(Array<Buffer>(64).fill(gzipSync(Buffer.alloc(16 * mib))));
    faultOf(await put('/tmp/bomb', nothing), 'invalid_archive');
    expect(await names('/tmp/bomb')).toEqual([]);
  });

  test('a file that grows or shrinks while it is read breaks the download', async () => {
    for (const change of ['truncate -s 1M', 'truncate -s 500M']) {
      await used.api.asRoot(
        box.id,
        'rm -rf /tmp/change; mkdir /tmp/change; truncate -s 300M /tmp/change/f',
      );
      const download = new Promise<string>((resolve) => {
        const { hostname, port } = new URL(used.daemon.url);
        const socket = connect(Number(port), hostname);
        let bytes = 0;
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          if (bytes > mib && !socket.isPaused() && bytes < 3 * mib) {
            socket.pause();
            void used.api.asRoot(box.id, `${change} /tmp/change/f`).then(() => socket.resume());
          }
          last = Buffer.concat([last, chunk]).subarray(-5);
        });
        let last: Buffer = Buffer.alloc(0);
        socket.on('close', () => resolve(last.toString('latin1')));
        socket.on('error', () => {});
        socket.write(
          `GET ${archive('/tmp/change')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${used.daemon.apiKey}\r\n\r\n`,
        );
      });
      // A whole answer would end with the last chunk, of no bytes.
      expect(await download).not.toBe('0\r\n\r\n');
    }
  }, 120_000);

  test('a slow client holds nothing up, and going away ends all', async () => {
    await used.api.asRoot(box.id, 'mkdir -p /tmp/slow && head -c 50M /dev/urandom > /tmp/slow/f');
    for (const format of ['tar', 'tar.gz', 'tar.zst']) {
      const { hostname, port } = new URL(used.daemon.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write(
        `GET ${archive('/tmp/slow')}&format=${format} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${used.daemon.apiKey}\r\n\r\n`,
      );
      await new Promise((resolve) => socket.once('data', resolve));
      socket.pause();
      const answer = await exchange(used.daemon.url, { path: '/healthz' });
      expect(answer.ms).toBeLessThan(2000);
      socket.destroy();
    }
  });

  test('a dead sandbox gives and takes archives', async () => {
    const dead = await used.api.create({ isolation });
    await used.api.write(dead.id, '/workspace/kept', 'kept');
    signal(sandboxProcess(used.daemon, dead.id), 'SIGKILL');
    await waitFor(async () => (await used.api.get(dead.id)).status === 'failed');
    const path = filePath(dead.id, '/archive', '/workspace');
    const body = rawTar({ name: 'new', content: 'new' });
    json(await used.api.send('PUT', path, { body }), 200);
    const answer = await used.api.send('GET', path);
    expect(gnuTar(['-tf', '-'], answer.body).toString()).toBe('kept\nnew\n');
    await used.api.kill(dead.id);
  });
});
