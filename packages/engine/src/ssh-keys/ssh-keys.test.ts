import { generateKeyPairSync } from 'node:crypto';
import { maxSshKeys, namespaceSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Keys } from '../keys.ts';
import type { Principal } from '../principal.ts';
import { parsePublicKey } from './public-key.ts';
import { SshKeys } from './ssh-keys.ts';

const text = (bytes: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** A new key as a line of text. */
function publicLine(comment = 'me'): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const blob = Buffer.concat([text(Buffer.from('ssh-ed25519')), text(Buffer.from(x, 'base64url'))]);
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}\n`;
}

function begin() {
  const state = openState(':memory:');
  const keys = new Keys(state.keys);
  const sshKeys = new SshKeys({ table: state.sshKeys, keys });
  const principal = (namespace?: string): Principal => {
    const namespaces = namespace === undefined ? undefined : [namespaceSchema.parse(namespace)];
    const found = keys.authenticate(keys.issue({ namespaces }).api_key);
    if (found === undefined) throw new Error('the key was just made');
    return found;
  };
  return { keys, sshKeys, principal, [Symbol.dispose]: () => state[Symbol.dispose]() };
}

test('a public key stands for every API key that registered it, as long as that is there', () => {
  using begun = begin();
  const { keys, sshKeys, principal } = begun;
  const [administrator, one, two] = [principal(), principal('one'), principal('two')];
  const line = publicLine();
  const { blob } = parsePublicKey(line);
  const first = sshKeys.add(one, { public_key: line });
  expect(first).toMatchObject({ label: 'me', type: 'ssh-ed25519', key: one.keyId });
  expect(sshKeys.add(one, { public_key: line, label: 'again' })).toEqual(first);
  const second = sshKeys.add(two, { public_key: line, label: 'two' });
  expect(new Set(sshKeys.principalsOf(blob).map(({ keyId }) => keyId))).toEqual(
    new Set([one.keyId, two.keyId]),
  );
  expect(sshKeys.list(one)).toEqual([first]);
  expect(sshKeys.list(administrator)).toHaveLength(2);
  expect(() => sshKeys.remove(one, second.id)).toThrow(
    expect.objectContaining({ code: 'ssh_key_not_found' }),
  );
  keys.remove(administrator, one.keyId);
  expect(sshKeys.principalsOf(blob)).toEqual([two]);
  sshKeys.remove(administrator, second.id);
  expect(sshKeys.principalsOf(blob)).toEqual([]);
});

test('an API key registers only so many', () => {
  using begun = begin();
  const { sshKeys, principal } = begun;
  const owner = principal();
  for (let count = 0; count < maxSshKeys; count++) sshKeys.add(owner, { public_key: publicLine() });
  expect(() => sshKeys.add(owner, { public_key: publicLine() })).toThrow(
    expect.objectContaining({ code: 'limit_reached' }),
  );
  sshKeys.add(principal(), { public_key: publicLine() });
});
