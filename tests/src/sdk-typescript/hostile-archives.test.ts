import { createServer, type Server } from 'node:http';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Client, Filesystem, SandportError, type TreeResult } from 'sandport';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  escapedText,
  hostileArchives,
  innocentName,
  innocentText,
  rawPax,
  rawTar,
  testRun,
} from '../harness/index.ts';
import { failure } from './sdk-sandbox.ts';
import { allBelow } from './local-trees.ts';

/** A daemon whose guest answers with any bytes it likes. */
let server: Server;
let client: Client;
let archive: Buffer;
beforeAll(async () => {
  server = createServer((_request, response) => response.end(archive));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address of this kind.
  const { port } = server.address() as AddressInfo;
  client = new Client({ url: `http://127.0.0.1:${port}`, apiKey: 'key' });
});
afterAll(() => {
  client.close();
  server.close();
});

let around: string;
let target: string;
let canary: string;
beforeEach(() => {
  around = mkdtempSync(join(testRun().tempDir, 'hostile-'));
  target = join(around, 'target');
  canary = join(around, 'canary');
  mkdirSync(target);
  writeFileSync(canary, 'canary');
  writeFileSync(join(target, innocentName), innocentText);
});
afterEach(() => rmSync(around, { recursive: true, force: true }));

function unpack(bytes: Buffer, options = {}): Promise<TreeResult> {
  archive = bytes;
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return new Filesystem(client.transport, 'box').downloadDir('/any', target, {
    compression: isGzip ? 'gzip' : 'none',
    ...options,
  });
}

function expectNothingOutside(): void {
  expect(readFileSync(canary, 'utf8')).toBe('canary');
  expect(statSync(canary).nlink).toBe(1);
  expect(statSync('/etc/passwd').nlink).toBe(1);
  expect(existsSync(`/tmp/${escapedText}`)).toBe(false);
  const below = allBelow(around);
  expect(below.filter((path) => !path.startsWith('target')).toSorted()).toEqual(['canary']);
  expect(below.filter((path) => path.endsWith('.part'))).toEqual([]);
  expect(readFileSync(join(target, innocentName), 'utf8')).toBe(innocentText);
  expect(statSync(join(target, innocentName)).nlink).toBe(1);
}

describe('downloadDir and the corpus of hostile archives', () => {
  for (const each of hostileArchives()) {
    test(`${each.name}: ${each.why}`, async () => {
      let error: unknown;
      try {
        await unpack(each.bytes, each.limits);
      } catch (thrown) {
        error = thrown;
        expect(error).toBeInstanceOf(SandportError);
      }
      expectNothingOutside();
      if (each.outcome === 'refused')
        expect(error).toMatchObject({
          code: expect.stringMatching(/^(unsafe_archive|invalid_archive|payload_too_large)$/),
        });
    });
  }
});

describe('downloadDir', () => {
  test('names the entry that is refused', async () => {
    const error = await failure(unpack(rawTar({ name: '../out', content: 'x' })));
    expect(error).toMatchObject({ code: 'unsafe_archive', details: { entry: '../out' } });
    expect(String(error)).toContain('../out');
  });

  test('does not write through a symlink that was here before', async () => {
    rmSync(join(target, innocentName));
    const outside = join(around, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(target, 'd'));
    symlinkSync(canary, join(target, 'f'));
    expect(await failure(unpack(rawTar({ name: 'd/x', content: 'x' })))).toMatchObject({
      code: 'unsafe_archive',
    });
    await unpack(rawTar({ name: 'f', content: 'mine' }));
    expect(lstatSync(join(target, 'f')).isFile()).toBe(true);
    expect(readFileSync(canary, 'utf8')).toBe('canary');
    expect(allBelow(outside)).toEqual([]);
  });

  test('leaves set-user-id bits out and applies modes of directories last', async () => {
    await unpack(
      rawTar(
        { name: 'd', type: '5', mode: 0o2500 },
        { name: 'd/f', content: 'x', mode: 0o6755 },
        { name: 'd/s', type: '5', mode: 0o1777 },
      ),
    );
    expect(statSync(join(target, 'd')).mode & 0o7777).toBe(0o500);
    expect(statSync(join(target, 'd/f')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(target, 'd/s')).mode & 0o7777).toBe(0o777);
  });

  test('reports links that lead out, and keeps them when asked to', async () => {
    const bytes = rawTar(
      { name: 'out', type: '2', linkName: '/etc/passwd' },
      { name: 'd/up', type: '2', linkName: '../fine' },
      { name: 'd/far', type: '2', linkName: '../../far' },
    );
    const { skipped, symlinks } = await unpack(bytes);
    expect(skipped.map(({ path }) => path)).toEqual(['out', 'd/far']);
    expect(symlinks).toBe(1);
    expect(allBelow(target)).toEqual(['d', 'd/up', innocentName]);
    expect(await unpack(bytes, { unsafeLinks: 'keep' })).toMatchObject({ symlinks: 3 });
    expectNothingOutside();
  });

  test('a large file is written piece by piece, and not at all when it is cut', async () => {
    const content = Buffer.alloc(5_000_000, 'abcdefg');
    await unpack(rawTar({ name: 'big', content }));
    expect(readFileSync(join(target, 'big')).equals(content)).toBe(true);
    const cut = rawTar({ name: 'big', content: Buffer.alloc(9_000_000) }).subarray(0, 6_000_000);
    expect(await failure(unpack(cut))).toMatchObject({ code: 'invalid_archive' });
    expect(readFileSync(join(target, 'big')).equals(content)).toBe(true);
    expectNothingOutside();
  });

  test('an archive that is gzip where tar was asked for is damaged', async () => {
    const error = await failure(unpack(gzipSync(rawTar()), { compression: 'none' }));
    expect(error).toMatchObject({ code: 'invalid_archive' });
  });

  test('without overwrite what is there stays', async () => {
    const bytes = rawTar({ name: innocentName, content: 'other' });
    expect(await failure(unpack(bytes, { overwrite: false }))).toMatchObject({
      code: 'local_file',
    });
    expectNothingOutside();
  });

  test('reads what PAX says about names, sizes and times', async () => {
    const name = `${'d'.repeat(120)}/é`;
    const pax = rawPax({ path: name, mtime: '1700000000.123456789', size: '3' });
    await unpack(rawTar(pax, { name: 'short', content: 'abc' }));
    expect(readFileSync(join(target, name), 'utf8')).toBe('abc');
    const { mtimeNs } = lstatSync(join(target, name), { bigint: true });
    expect(Math.abs(Number(mtimeNs - 1_700_000_000_123_456_789n))).toBeLessThan(2000);
  });
});
