import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAuthority } from './authority-files.ts';
import type { CertificatePair } from './make-certificates.ts';
import { serverNames } from './server-names.ts';
import { ServingCertificate } from './serving-certificate.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sandport-serving-'));
});
afterEach(() => rm(parent, { recursive: true }));

const fail = (error: unknown) => {
  throw error;
};

test('is for all names, signed by the authority, and never outlives it', async () => {
  const authority = await openAuthority(join(parent, 'kubernetes'));
  const names = serverNames('127.0.0.1', ['Box.Example', '192.0.2.7', '2001:db8::7', 'not a name']);
  const lifetimeMs = 40 * 365 * 86_400_000;
  const options = { authority, names, renewed: () => {}, failed: fail, lifetimeMs };
  const { serving, pair } = await ServingCertificate.start(options);
  serving[Symbol.dispose]();
  const certificate = new X509Certificate(pair.certificate);
  expect(certificate.verify(authority.certificate.publicKey)).toBe(true);
  expect(certificate.checkIssued(authority.certificate)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.validTo).toBe(authority.certificate.validTo);
  for (const host of ['localhost', 'kubernetes.default.svc', 'box.example'])
    expect(certificate.checkHost(host)).toBeDefined();
  for (const address of ['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7'])
    expect(certificate.checkIP(address)).toBeDefined();
  expect(certificate.checkHost('other.example')).toBeUndefined();
});

test('is renewed before it expires', async () => {
  const authority = await openAuthority(join(parent, 'kubernetes'));
  const renewed: CertificatePair[] = [];
  const { serving, pair } = await ServingCertificate.start({
    authority,
    names: ['localhost'],
    renewed: (each) => renewed.push(each),
    failed: fail,
    lifetimeMs: 60,
    checkEveryMs: 10,
  });
  await expect.poll(() => renewed.length).toBeGreaterThanOrEqual(2);
  serving[Symbol.dispose]();
  const serials = [pair, ...renewed].map(
    ({ certificate }) => new X509Certificate(certificate).serialNumber,
  );
  expect(new Set(serials).size).toBe(serials.length);
});

test('a server that listens everywhere is known by every address of the machine', () => {
  expect(serverNames('0.0.0.0')).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1']));
  expect(serverNames('0.0.0.0')).not.toContain('0.0.0.0');
  expect(serverNames('192.0.2.7')).toContain('192.0.2.7');
});
