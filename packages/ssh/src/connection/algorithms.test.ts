import { expect, test } from 'vitest';
import { hasFastCiphers } from './algorithms.ts';

test.each([
  ['OpenSSH_9.2p1', true],
  ['OpenSSH_6.2', true],
  ['OpenSSH_10.0p2', true],
  ['OpenSSH_for_Windows_8.1', true],
  ['OpenSSH_6.1', false],
  ['OpenSSH_5.9p1', false],
  ['PuTTY_Release_0.78', false],
  ['libssh2_1.10.0', false],
  ['X-OpenSSH_9.2', false],
])('whether %s has the fast ciphers: %s', (software, has) => {
  expect(hasFastCiphers(software)).toBe(has);
});
