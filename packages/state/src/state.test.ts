import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  namespaceSchema,
  sandboxIdSchema,
  sandboxNameSchema,
  volumeNameSchema,
} from '@sandport/protocol';
import Libsql from 'libsql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NameTakenError, type SandboxRow } from './sandbox-table.ts';
import { openState } from './state.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandport-state-'));
});
afterEach(() => rm(directory, { recursive: true }));

const namespace = namespaceSchema.parse('default');
const sandbox = (name?: string): SandboxRow => ({
  id: sandboxIdSchema.parse(randomUUID()),
  namespace,
  name: name === undefined ? undefined : sandboxNameSchema.parse(name),
  template: 'base',
  isolation: 'gvisor',
  status: 'running',
  spec: { deep: ['ü', 1] },
  metadata: { a: 'b' },
  ttlSeconds: 60,
  persistent: false,
  bootMs: 12.5,
  createdAt: new Date(1_700_000_000_123),
  expiresAt: new Date(1_700_000_060_123),
});

test('rows come back as they were, from a file that was closed and opened again', () => {
  const file = join(directory, 'state.db');
  const row = sandbox('box');
  const sha256 = createHash('sha256').update('key').digest();
  {
    using state = openState(file);
    state.sandboxes.insert(row);
    state.volumes.ensure(namespace, volumeNameSchema.parse('data'));
    state.keys.insert({
      id: 'k',
      label: 'l',
      sha256,
      namespaces: [namespace],
      createdAt: new Date(5),
    });
  }
  using state = openState(file);
  expect(state.sandboxes.all()).toEqual([{ ...row, statusReason: undefined }]);
  expect(state.volumes.all()).toMatchObject([{ namespace: 'default', name: 'data' }]);
  expect(state.keys.all()).toEqual([
    { id: 'k', label: 'l', sha256, namespaces: ['default'], createdAt: new Date(5) },
  ]);
});

test('a name is unique in its namespace, and free again after a delete', () => {
  using state = openState(':memory:');
  const first = sandbox('box');
  state.sandboxes.insert(first);
  expect(() => state.sandboxes.insert(sandbox('box'))).toThrow(NameTakenError);
  state.sandboxes.insert({ ...sandbox('box'), namespace: namespaceSchema.parse('other') });
  state.sandboxes.insert(sandbox());
  state.sandboxes.insert(sandbox());
  state.sandboxes.delete(first.id);
  state.sandboxes.insert(sandbox('box'));
});

test('a file of a newer release is refused by name', () => {
  const file = join(directory, 'state.db');
  openState(file)[Symbol.dispose]();
  const database = new Libsql(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => openState(file)).toThrow(/newer Sandport/);
});
