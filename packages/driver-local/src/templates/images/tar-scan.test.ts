import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidImage } from './invalid-image.ts';
import { scanTar } from './tar-scan.ts';

const limits = { maxEntries: 1000, maxBytes: 2 ** 40 };

interface Entry {
  readonly name: string;
  readonly type?: string;
  readonly content?: string;
  readonly size?: number | Buffer;
}

/** One header with its content, as ustar has them. */
function entry({ name, type = '0', content = '', size = content.length }: Entry): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  if (typeof size === 'number') header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else size.copy(header, 124);
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.from(content);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
const pax = (text: string): Buffer => {
  const length = text.length + 3;
  return entry({ name: 'x', type: 'x', content: `${length} ${text}\n` });
};
const end = Buffer.alloc(1024);

/** @param step bytes a chunk */
async function scan(tar: Buffer, options = limits, step = 4096) {
  const chunks = [];
  for (let at = 0; at < tar.length; at += step) chunks.push(tar.subarray(at, at + step));
  const names: string[] = [];
  const scanned = scanTar({ ...options, onName: (name) => names.push(name) });
  await pipeline(Readable.from(chunks), scanned);
  return { entries: scanned.entries, bytes: scanned.bytes, names };
}

test('counts what GNU tar packs, in chunks of any size', async () => {
  const tar = execFileSync('tar', ['c', '--format=pax', '-C', import.meta.dirname, '.'], {
    maxBuffer: 2 ** 26,
  });
  const sizes = execFileSync('sh', ['-c', 'find . -type f -printf "%s\\n"'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  const total = sizes.trim().split('\n').map(Number);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 70_000 }), async (step) => {
      const found = await scan(tar, limits, Math.max(step, 37));
      expect(found.bytes).toBe(total.reduce((sum, size) => sum + size, 0));
      expect(found.entries).toBe(total.length + 1);
      expect(found.names).toContain('./tar-scan.ts');
    }),
    { numRuns: 20 },
  );
});

test.each([
  [
    'a size in base 256',
    entry({ name: 'a', size: Buffer.from('800000000000000000000200', 'hex') }),
  ],
  ['a size in an extended header', Buffer.concat([pax('size=512'), entry({ name: 'a', size: 0 })])],
])('takes %s', async (_, head) => {
  const found = await scan(Buffer.concat([head, Buffer.alloc(512), entry({ name: 'b' }), end]));
  expect(found).toEqual({ entries: 2, bytes: 512, names: ['a', 'b'] });
});

test('counts a sparse file as large as it becomes', async () => {
  const head = pax('GNU.sparse.realsize=99999999');
  const found = await scan(Buffer.concat([head, entry({ name: 'a', content: 'x' }), end]));
  expect(found.bytes).toBe(99_999_999);
});

test.each([
  ['a wrong checksum', Buffer.concat([Buffer.from('x'), entry({ name: 'a' }).subarray(1), end])],
  ['no tar at all', Buffer.from('#!/bin/sh\n'.repeat(100))],
  ['an end within a file', entry({ name: 'a', content: 'x'.repeat(600) }).subarray(0, 700)],
  [
    'an end within a header',
    Buffer.concat([entry({ name: 'a' }), entry({ name: 'b' })]).subarray(0, 700),
  ],
  ['an impossible size', Buffer.concat([entry({ name: 'a', size: Buffer.alloc(12, 0xff) }), end])],
  ['a huge extended header', Buffer.concat([entry({ name: 'x', type: 'x', size: 2 ** 30 }), end])],
])('refuses %s', async (_, tar) => {
  await expect(scan(tar)).rejects.toThrow(InvalidImage);
});

test('stops at its limits', async () => {
  const many = Buffer.concat([...Array<Buffer>(6).fill(entry({ name: 'a' })), end]);
  await expect(scan(many, { maxEntries: 5, maxBytes: 1e9 })).rejects.toThrow('5 entries');
  const large = Buffer.concat([entry({ name: 'a', size: 2 ** 30 }), end]);
  await expect(scan(large, { maxEntries: 5, maxBytes: 2 ** 20 })).rejects.toThrow('1 MiB');
});

test('never fails otherwise, whatever the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), async (bytes, valid) => {
      const tar = Buffer.concat([valid ? entry({ name: 'a' }) : Buffer.alloc(0), bytes]);
      await scan(tar).catch((error: unknown) => expect(error).toBeInstanceOf(InvalidImage));
    }),
  );
});
