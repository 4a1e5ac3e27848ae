import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostKeyError, openHostKey } from './host-key.ts';

let parent: string;
let directory: string;
let file: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sandport-host-key-'));
  directory = join(parent, 'ssh');
  file = join(directory, 'host_ed25519');
});
afterEach(() => rm(parent, { recursive: true }));

test('is made once, for its owner only, and is what the library reads', async () => {
  const made = await openHostKey(directory);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await readdir(directory)).toEqual(['host_ed25519']);
  const again = await openHostKey(directory);
  expect([again.publicKey, again.fingerprint]).toEqual([made.publicKey, made.fingerprint]);
  const parsed = ssh2.utils.parseKey(made.privateKey);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('not one key');
  expect(`ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}`).toBe(made.publicKey);
});

test.each([
  [
    'half a key',
    'damaged',
    async () => writeFile(file, (await readFile(file, 'utf8')).slice(0, 60)),
  ],
  ['an empty file', 'damaged', () => writeFile(file, '')],
  ['a huge file', 'damaged', () => writeFile(file, 'x'.repeat(100_000))],
  ['another kind of key', 'damaged', () => writeFile(file, otherKey())],
  ['a file that others can read', 'chmod 600', () => chmod(file, 0o640)],
])('%s is an error that names the file, and nothing is replaced', async (_, named, damage) => {
  await openHostKey(directory);
  await damage();
  const before = await readFile(file);
  const failure = await openHostKey(directory).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HostKeyError);
  expect(String(failure)).toContain(named);
  expect(String(failure)).toContain(file);
  expect((await readFile(file)).equals(before)).toBe(true);
});

const otherKey = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'pem',
    type: 'pkcs8',
  });
