import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  namespaceSchema,
  parseGuestPath,
  sandboxIdSchema,
  sandboxNameSchema,
  snapshotIdSchema,
  snapshotNameSchema,
  volumeNameSchema,
} from '@sandport/protocol';
import Libsql from 'libsql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrations } from './migrations.ts';
import { NameTakenError, type SandboxRow } from './sandbox-table.ts';
import type { SnapshotRow } from './snapshot-table.ts';
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
  idleTimeoutSeconds: 0,
  idleAction: 'hibernate',
  activeAt: new Date(1_700_000_000_456),
  bootMode: 'cold',
  pooled: false,
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

test('uploads and links come back, and go with their sandbox and with the key that made them', () => {
  const file = join(directory, 'state.db');
  const [first, second] = [sandbox('first'), sandbox('second')];
  const times = { createdAt: new Date(7), expiresAt: new Date(1_000) };
  const path = parseGuestPath('/workspace/ü');
  const staged = { path: '/workspace/.sandport-upload-1', identity: '1:2' };
  const metadata = { path, empty: null };
  const upload = { size: undefined, trustedBytes: undefined, etag: undefined, ...times };
  const link = { path, method: 'PUT', maxBytes: 2 ** 40, ...times } as const;
  {
    using state = openState(file);
    for (const row of [first, second]) {
      state.sandboxes.insert(row);
      state.uploads.insert({ id: row.id, sandbox: row.id, path, metadata, staged, ...upload });
    }
    for (const [index, id] of ['a', 'b'].entries()) {
      state.keys.insert({ id, label: '', sha256: Buffer.alloc(32, index), createdAt: new Date(5) });
      for (const row of [first, second]) {
        const tokenSha256 = createHash('sha256').update(`${id} ${row.id}`).digest();
        state.links.insert({
          id: `${id}-${row.id}`,
          sandbox: row.id,
          key: id,
          tokenSha256,
          ...link,
        });
      }
    }
  }
  using state = openState(file);
  const row = { id: first.id, sandbox: first.id, path, metadata, staged, ...upload };
  expect(state.uploads.ofSandbox(first.id)).toEqual([row]);
  state.uploads.update({ ...row, size: 5, trustedBytes: 3, expiresAt: new Date(2_000) });
  expect(state.uploads.get(first.id)).toMatchObject({ size: 5, trustedBytes: 3 });
  expect(state.uploads.nextExpiry()).toEqual(new Date(1_000));
  expect(state.uploads.expired(new Date(1_500)).map(({ id }) => id)).toEqual([second.id]);
  state.uploads.update({ ...row, etag: '"x"' });
  expect(state.uploads.ofSandbox(first.id)).toEqual([]);
  expect(state.uploads.get(first.id)?.etag).toBe('"x"');
  const token = createHash('sha256').update(`a ${first.id}`).digest();
  expect(state.links.byToken(token)).toMatchObject({ ...link, key: 'a', tokenSha256: token });
  expect(state.links.byToken(Buffer.alloc(32))).toBeUndefined();
  state.keys.delete('a');
  expect(state.links.ofSandbox(first.id).map(({ id }) => id)).toEqual([`b-${first.id}`]);
  expect(state.links.delete(second.id, `b-${first.id}`)).toBe(false);
  expect(state.links.delete(first.id, `b-${first.id}`)).toBe(true);
  state.sandboxes.delete(second.id);
  expect(state.links.ofSandbox(second.id)).toEqual([]);
  expect(state.uploads.get(second.id)).toBeUndefined();
});

test('a file of the release before opens: its sandboxes and volumes get what was added since', () => {
  const file = join(directory, 'state.db');
  const { id } = sandbox();
  const before = new Libsql(file);
  for (const step of migrations.slice(0, 2)) before.exec(step);
  before
    .prepare(
      `INSERT INTO sandboxes VALUES (?, 'default', 'old', 'base', 'gvisor', 'running', NULL, '{}',
         '{}', 60, 0, 12.5, 1700000000123, NULL)`,
    )
    .run(id);
  before.exec(`INSERT INTO volumes VALUES ('default', 'data', 5)`);
  before.exec('PRAGMA user_version = 2');
  before.close();
  using state = openState(file);
  expect(state.sandboxes.all()).toMatchObject([
    {
      id,
      name: 'old',
      status: 'running',
      idleTimeoutSeconds: 0,
      idleAction: 'hibernate',
      activeAt: new Date(1_700_000_000_123),
      bootMode: 'cold',
      pooled: false,
    },
  ]);
  expect(state.volumes.all()).toEqual([
    { namespace: 'default', name: 'data', createdAt: new Date(5), sizeBytes: undefined },
  ]);
});

test('snapshots outlive their sandbox; their names are free again after a delete', () => {
  using state = openState(':memory:');
  const row = (name: string): SnapshotRow => ({
    id: snapshotIdSchema.parse(randomUUID()),
    namespace,
    name: snapshotNameSchema.parse(name),
    sandbox: sandboxIdSchema.parse(randomUUID()),
    status: 'creating',
    spec: { template: 'base' },
    memory: false,
    sizeBytes: 0,
    metadata: { why: 'ü' },
    pauseMs: 0,
    createdAt: new Date(9),
  });
  const first = row('before-lunch');
  state.snapshots.insert(first);
  expect(() => state.snapshots.insert(row('before-lunch'))).toThrow(NameTakenError);
  const ready = {
    ...first,
    status: 'ready',
    memory: true,
    sizeBytes: 2 ** 40,
    pauseMs: 3.5,
  } as const;
  state.snapshots.update(ready);
  expect(state.snapshots.all()).toEqual([ready]);
  state.snapshots.delete(first.id);
  state.snapshots.insert(row('before-lunch'));
});

test('pools and quotas are what was set last', () => {
  using state = openState(':memory:');
  state.pools.set({ template: 'base', isolation: 'gvisor', size: 3 });
  state.pools.set({ template: 'base', isolation: 'gvisor', size: 5 });
  state.pools.set({ template: 'base', isolation: 'container', size: 1 });
  state.pools.delete('base', 'container');
  expect(state.pools.all()).toEqual([{ template: 'base', isolation: 'gvisor', size: 5 }]);
  state.quotas.set({ namespace, maxSandboxes: 3, maxDiskMb: 100 });
  state.quotas.set({ namespace, maxSandboxes: 4 });
  expect(state.quotas.all()).toEqual([{ namespace, maxSandboxes: 4 }]);
});
