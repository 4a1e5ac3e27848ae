import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Client, ConflictError, type Filesystem, LocalFileError, Sandbox } from 'sandport';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CuttingProxy, json, startDaemon, type TestDaemon, testRun } from '../harness/index.ts';
import { failure } from './sdk-sandbox.ts';

const size = 24 * 1024 * 1024 + 77;
const mib = 1024 * 1024;

// The client speaks to one address, behind which the daemon comes and goes.
let daemon: TestDaemon;
let proxy: CuttingProxy;
let client: Client;
let sandbox: Sandbox;
beforeAll(async () => {
  daemon = await startDaemon();
  proxy = await CuttingProxy.start(() => daemon.url);
  client = new Client({ url: proxy.url, apiKey: daemon.apiKey });
  sandbox = await Sandbox.create({}, client);
});
afterAll(async () => {
  client.close();
  await proxy[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

let local: string;
let source: string;
let digest: string;
beforeEach(() => {
  local = mkdtempSync(join(testRun().tempDir, 'sdk-interrupted-'));
  source = join(local, 'source');
  const bytes = randomBytes(size);
  digest = sha256(bytes);
  writeFileSync(source, bytes);
});
afterEach(() => rmSync(local, { recursive: true, force: true }));

const files = (): Filesystem => sandbox.files;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const inSandbox = async (path: string) =>
  (await sandbox.exec(['sha256sum', path], { check: true })).stdout.split(' ')[0];
const uploads = async () =>
  json(await daemon.api.send('GET', `/v1/sandboxes/${sandbox.id}/uploads`), 200);
/** Points in a transfer that differ from run to run. */
const somewhere = (count: number) =>
  Array.from({ length: count }, () => 1 + Math.floor((Math.random() * size) / (count + 1)));

describe('an upload in parts', () => {
  const inParts = { resumableAboveBytes: mib };

  test('goes on after broken connections', async () => {
    const cuts = proxy.cuts;
    proxy.cutAfter(...somewhere(4));
    const result = await files().upload(source, '/workspace/up', { ...inParts, mode: 0o600 });
    expect(proxy.cuts - cuts).toBe(4);
    expect(result).toMatchObject({ path: '/workspace/up', bytes: size, size });
    expect(result.etag).toBe((await files().stat('/workspace/up')).etag);
    expect(await inSandbox('/workspace/up')).toBe(digest);
    expect((await files().stat('/workspace/up')).permissions).toBe('0600');
    expect(await uploads()).toEqual([]);
  });

  test('is complete when the answer to its last part is lost', async () => {
    // Answers to the parts are short; one of these cuts hits each of them.
    proxy.cutAnswersAfter(900, 400, 400);
    await files().upload(source, '/workspace/lost', inParts);
    proxy.clear();
    expect(await inSandbox('/workspace/lost')).toBe(digest);
  });

  test('goes on after the daemon was killed and started again', async () => {
    let restarted: Promise<unknown> | undefined;
    await files().upload(source, '/workspace/restart', {
      ...inParts,
      onProgress: ({ bytes }) => {
        if (bytes > size / 2) restarted ??= daemon.kill9().then(() => daemon.start());
      },
    });
    await restarted;
    expect(restarted).toBeDefined();
    expect(await inSandbox('/workspace/restart')).toBe(digest);
    expect(await uploads()).toEqual([]);
  });

  test('leaves nothing when it is aborted', async () => {
    await files().write('/workspace/old', 'old');
    const stop = new AbortController();
    const upload = files().upload(source, '/workspace/old', {
      ...inParts,
      signal: stop.signal,
      onProgress: ({ bytes }) => bytes > size / 2 && stop.abort(new Error('enough')),
    });
    expect(await failure(upload)).toMatchObject({ message: 'enough' });
    await expect.poll(uploads).toEqual([]);
    expect(await files().read('/workspace/old')).toBe('old');
  });

  test('is given up when the local file changes', async () => {
    let changed = false;
    const upload = files().upload(source, '/workspace/changed', {
      ...inParts,
      onProgress: () => {
        if (!changed) appendFileSync(source, 'more');
        changed = true;
      },
    });
    expect(await failure(upload)).toBeInstanceOf(LocalFileError);
    expect(await uploads()).toEqual([]);
    expect(await files().exists('/workspace/changed')).toBe(false);
  });

  test('keeps its conditions', async () => {
    const { etag } = await files().write('/workspace/cond', 'one');
    await files().write('/workspace/cond', 'two');
    const upload = files().upload(source, '/workspace/cond', { ...inParts, ifMatch: etag });
    expect(await failure(upload)).toMatchObject({ code: 'precondition_failed' });
    expect(await uploads()).toEqual([]);
    expect(await files().read('/workspace/cond')).toBe('two');
  });
});

describe('a download', () => {
  const target = () => join(local, 'target');
  const parts = () => readdirSync(local).filter((name) => name.endsWith('.part'));

  test.each([{ connections: 1 }, { connections: 4 }, { verify: false }])(
    'goes on after broken connections (%j)',
    async (options) => {
      const count = options.connections === 4 ? 4 : 1;
      // Only large files are fetched over several connections.
      const repeats = options.connections === 4 ? 3 : 1;
      const bytes = Buffer.concat(Array<Buffer>(repeats).fill(readFileSync(source)));
      await files().write('/workspace/down', bytes);
      const cuts = proxy.cuts;
      proxy.cutAnswersAfter(...somewhere(count * 2));
      let last = 0;
      await files().download('/workspace/down', target(), {
        ...options,
        onProgress: (progress) => (last = progress.bytes),
      });
      expect(proxy.cuts - cuts).toBe(count * 2);
      expect(sha256(readFileSync(target()))).toBe(sha256(bytes));
      expect(last).toBe(bytes.length);
      expect(parts()).toEqual([]);
    },
  );

  test('goes on after the daemon was killed and started again', async () => {
    await files().write('/workspace/down', readFileSync(source));
    let restarted: Promise<unknown> | undefined;
    await files().download('/workspace/down', target(), {
      onProgress: ({ bytes }) => {
        if (bytes > size / 2) restarted ??= daemon.kill9().then(() => daemon.start());
      },
    });
    await restarted;
    expect(sha256(readFileSync(target()))).toBe(digest);
  });

  test('of a file that changed meanwhile is an error, never a mixture', async () => {
    await files().write('/workspace/down', readFileSync(source));
    writeFileSync(target(), 'old');
    const cuts = proxy.cuts;
    proxy.cutAnswersAfter(5 * mib);
    proxy.atNextCut = () => daemon.api.exec(sandbox.id, 'echo new > /workspace/down');
    const error = await failure(files().download('/workspace/down', target()));
    expect(proxy.cuts - cuts).toBe(1);
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ code: 'file_changed', path: '/workspace/down' });
    expect(readFileSync(target(), 'utf8')).toBe('old');
    expect(parts()).toEqual([]);
  });
});
