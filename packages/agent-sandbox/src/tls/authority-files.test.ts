import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AuthorityFileError, openAuthority } from './authority-files.ts';
import { makeAuthority } from './make-certificates.ts';

let parent: string;
let directory: string;
let keyFile: string;
let certificateFile: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sandport-authority-'));
  directory = join(parent, 'kubernetes');
  keyFile = join(directory, 'ca.key');
  certificateFile = join(directory, 'ca.crt');
});
afterEach(() => rm(parent, { recursive: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('is made once, with a key that only its owner can read', async () => {
  const made = await openAuthority(directory);
  expect(made.certificate.ca).toBe(true);
  expect(await modeOf(directory)).toBe(0o700);
  expect(await modeOf(keyFile)).toBe(0o600);
  expect((await openAuthority(directory)).pem).toBe(made.pem);
  expect(await readdir(parent)).toEqual(['kubernetes']);
  const years = Date.parse(made.certificate.validTo) - Date.now();
  expect(Math.round(years / (365 * 86_400_000))).toBe(10);
});

test('what a daemon left that was killed while it made one is removed', async () => {
  const unfinished = join(parent, 'kubernetes.0a1b2c3d.tmp');
  await mkdir(unfinished);
  await writeFile(join(unfinished, 'ca.key'), 'half a k');
  await mkdir(directory);
  await openAuthority(directory);
  expect(await readdir(parent)).toEqual(['kubernetes']);
});

test.each([
  ['a missing key', 'ca.key', () => rm(keyFile)],
  ['a missing certificate', 'ca.crt', () => rm(certificateFile)],
  ['half a key', 'ca.key', async () => halve(keyFile)],
  ['half a certificate', 'ca.crt', async () => halve(certificateFile)],
  ['an empty key', 'ca.key', () => writeFile(keyFile, '')],
  ['a huge file', 'ca.crt', () => writeFile(certificateFile, 'x'.repeat(100_000))],
  ['the key of another', 'ca.crt', async () => writeFile(keyFile, (await other()).key)],
  ['a key that others can read', 'chmod 600', () => chmod(keyFile, 0o640)],
])('%s is an error that names it, and nothing is replaced', async (_name, named, damage) => {
  await openAuthority(directory);
  await damage();
  const before = await contents();
  const failure = await openAuthority(directory).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AuthorityFileError);
  expect(String(failure)).toContain(named);
  expect(await contents()).toEqual(before);
});

test('an expired certificate, and one of the future, are errors', async () => {
  await openAuthority(directory, new Date('2001-01-01'));
  await expect(openAuthority(directory)).rejects.toThrow(/ca\.crt expired on/);
  await expect(openAuthority(directory, new Date('1999-01-01'))).rejects.toThrow(/clock/);
});

const halve = async (file: string) => {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.slice(0, text.length / 2));
};

const other = () =>
  makeAuthority({ notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) });

const contents = async () =>
  Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')));
