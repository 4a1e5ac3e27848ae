import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Upload } from 'tus-js-client';
import { describe, expect, test } from 'vitest';
import { CuttingProxy, onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';
import { tusOptions, tusUpload } from './tus-upload.ts';

const used = useDaemon();
const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

onEachIsolation(used, (isolation) => {
  const sandbox = useSandbox(used, isolation);

  test('the stock client uploads in chunks, and the file is what a command reads', async () => {
    const { api, daemon } = used;
    const bytes = randomBytes(5_000_000);
    const sha256 = sha256Of(bytes);
    const metadata = { mode: '0751', mtime: '1700000000.25', sha256, filename: 'any' };
    const options = { chunkSize: 1_000_000, metadata };
    const path = `/workspace/new directory/${isolation} ü`;
    const { last } = await tusUpload(bytes, tusOptions(daemon, sandbox.id, path, options));
    const answer = await api.exec(sandbox.id, `sha256sum "${path}"; stat -c '%a %U %Y' "${path}"`);
    expect(answer.stdout).toBe(`${sha256}  ${path}\n751 user 1700000000\n`);
    expect(last?.getHeader('etag')).toBe((await api.open(sandbox.id, path)).headers.etag);
    expect(await api.names(sandbox.id, '/workspace/new directory')).toHaveLength(1);
  });

  test('it goes on by itself after its connection broke, and after a kill -9 of the daemon', async () => {
    const { api, daemon } = used;
    const bytes = randomBytes(24_000_000);
    const path = '/workspace/interrupted/file';
    await api.write(sandbox.id, path, 'old');
    await using proxy = await CuttingProxy.start(() => daemon.url);
    proxy.cutAfter(3_000_000, 1, 5_000_000, 700_000);
    let restarted: Promise<unknown> | undefined;
    const retryDelays = Array.from({ length: 100 }, () => 250);
    await tusUpload(bytes, {
      ...tusOptions(daemon, sandbox.id, path, { metadata: { sha256: sha256Of(bytes) } }),
      endpoint: `${proxy.url}/v1/sandboxes/${sandbox.id}/uploads`,
      retryDelays,
      onProgress: (sent) => {
        if (sent > 16_000_000) restarted ??= daemon.kill9().then(() => daemon.start());
      },
    });
    await restarted;
    expect(proxy.cuts).toBe(4);
    expect(restarted).toBeDefined();
    expect(sha256Of(await used.api.read(sandbox.id, path))).toBe(sha256Of(bytes));
    expect(await used.api.names(sandbox.id, '/workspace/interrupted')).toEqual(['file']);
  });
});

describe('the stock client', () => {
  const sandbox = useSandbox(used, 'container');
  const read = (path: string) => used.api.read(sandbox.id, path);

  test('sends bytes along with the creation, and empty files', async () => {
    const path = '/workspace/at once';
    const options = { uploadDataDuringCreation: true, chunkSize: 100_000 };
    const bytes = randomBytes(250_000);
    await tusUpload(bytes, tusOptions(used.daemon, sandbox.id, path, options));
    expect((await read(path)).equals(bytes)).toBe(true);
    for (const uploadDataDuringCreation of [true, false]) {
      const empty = tusOptions(used.daemon, sandbox.id, path, { uploadDataDuringCreation });
      await tusUpload(Buffer.alloc(0), empty);
      expect(await read(path)).toHaveLength(0);
    }
  });

  test('uploads where it can send POST only', async () => {
    const path = '/workspace/overridden';
    const options = { overridePatchMethod: true, chunkSize: 100_000 };
    const bytes = randomBytes(250_000);
    await tusUpload(bytes, tusOptions(used.daemon, sandbox.id, path, options));
    expect((await read(path)).equals(bytes)).toBe(true);
  });

  test('uploads a stream whose length it does not know', async () => {
    const path = '/workspace/stream';
    const bytes = randomBytes(1_234_567);
    const source = Readable.from([bytes.subarray(0, 400_000), bytes.subarray(400_000)]);
    const options = { uploadLengthDeferred: true, chunkSize: 300_000 };
    await tusUpload(source, tusOptions(used.daemon, sandbox.id, path, options));
    expect((await read(path)).equals(bytes)).toBe(true);
  });

  test('uploads 20 files at the same time', async () => {
    const files = Array.from({ length: 20 }, (_, index) => ({
      path: `/workspace/crowd/${index}`,
      bytes: randomBytes(500_000 + index),
    }));
    await Promise.all(
      files.map(({ path, bytes }) =>
        tusUpload(bytes, tusOptions(used.daemon, sandbox.id, path, { chunkSize: 200_000 })),
      ),
    );
    for (const { path, bytes } of files) expect((await read(path)).equals(bytes)).toBe(true);
    expect(await used.api.names(sandbox.id, '/workspace/crowd')).toHaveLength(20);
  });

  test('gives an upload up', async () => {
    const path = '/workspace/given up/file';
    const bytes = randomBytes(600_000);
    const options = tusOptions(used.daemon, sandbox.id, path, { chunkSize: 200_000 });
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(bytes, {
        ...options,
        onChunkComplete: () => {
          upload.abort(true).then(resolve, reject);
        },
        onError: reject,
      });
      upload.start();
    });
    expect(await used.api.names(sandbox.id, '/workspace/given up')).toEqual([]);
  });
});
