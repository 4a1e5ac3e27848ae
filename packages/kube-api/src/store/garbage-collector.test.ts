import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { KubeObject, OwnerReference } from '../objects/kube-object.ts';
import { MemoryTable } from '../testing/memory-table.ts';
import { toyResources } from '../testing/toy-resources.ts';
import { createObjectStore } from './create-object-store.ts';

const key = 'widgets.example.org';

const open = (table = new MemoryTable()) => createObjectStore({ resources: toyResources, table });

const widget = (
  name: string,
  ownerReferences: readonly OwnerReference[] = [],
  namespace = 'default',
): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name, namespace, ownerReferences },
  spec: { size: 1 },
});

const ownedBy = ({ metadata }: KubeObject, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  name: metadata.name,
  uid: metadata.uid ?? '',
  blockOwnerDeletion,
});

const names = (store: ReturnType<typeof open>) =>
  store.list(key).map(({ metadata }) => metadata.name);

describe('owners', () => {
  test('objects go with their owner, and so on down', () => {
    const store = open();
    const top = store.create(key, widget('top'));
    const middle = store.create(key, widget('middle', [ownedBy(top)]));
    store.create(key, widget('bottom', [ownedBy(middle)]));
    store.create(key, widget('other'));
    store.remove(key, 'default', 'top');
    expect(names(store)).toEqual(['other']);
  });

  test('many go in several turns', async () => {
    const store = open();
    const top = store.create(key, widget('top'));
    for (let index = 0; index < 1000; index += 1) {
      store.create(key, widget(`w${index}`, [ownedBy(top)]));
    }
    await nextTurn();
    store.remove(key, 'default', 'top');
    expect(store.count(key)).toBeGreaterThan(500);
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(store.count(key)).toBe(0);
  });

  test('an object stays while one of its owners lives', () => {
    const store = open();
    const one = store.create(key, widget('one'));
    const two = store.create(key, widget('two'));
    store.create(key, widget('both', [ownedBy(one), ownedBy(two)]));
    store.remove(key, 'default', 'one');
    const { metadata } = store.get(key, 'default', 'both') ?? widget('');
    expect(metadata.ownerReferences).toEqual([ownedBy(two)]);
    store.remove(key, 'default', 'two');
    expect(names(store)).toEqual([]);
  });

  test('orphans stay', () => {
    const store = open();
    const one = store.create(key, widget('one'));
    store.create(key, widget('child', [ownedBy(one)]));
    store.remove(key, 'default', 'one', { propagation: 'Orphan' });
    expect(store.get(key, 'default', 'child')?.metadata.ownerReferences).toEqual([]);
  });

  test('in the foreground the owner goes last', () => {
    const store = open();
    const one = store.create(key, widget('one'));
    const held = { ...widget('child', [ownedBy(one, true)]).metadata, finalizers: ['a/b'] };
    const child = store.create(key, { ...widget('child'), metadata: held });
    const marked = store.remove(key, 'default', 'one', { propagation: 'Foreground' });
    expect(marked.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(names(store)).toEqual(['child', 'one']);
    const waiting = store.get(key, 'default', 'child') ?? child;
    expect(waiting.metadata.deletionTimestamp).toBeDefined();
    store.update(key, { ...waiting, metadata: { ...waiting.metadata, finalizers: [] } });
    expect(names(store)).toEqual([]);
  });

  test('an object whose owner is not there goes soon', async () => {
    const store = open();
    const gone = store.create(key, widget('gone'));
    store.remove(key, 'default', 'gone');
    store.create(key, widget('late', [ownedBy(gone)]));
    expect(names(store)).toEqual(['late']);
    await nextTurn();
    await nextTurn();
    expect(names(store)).toEqual([]);
  });

  test('owners of kinds that are not served are left alone', async () => {
    const store = open();
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x', uid: 'u' };
    store.create(key, widget('one', [reference]));
    await nextTurn();
    await nextTurn();
    expect(names(store)).toEqual(['one']);
  });

  test('nobody ties objects to those of another namespace', async () => {
    const store = open();
    const victim = store.create(key, widget('victim'));
    store.create(key, widget('tied', [ownedBy(victim, true)], 'evil'));
    await nextTurn();
    await nextTurn();
    expect(store.get(key, 'evil', 'tied')).toBeUndefined();
    store.create(key, widget('tied', [ownedBy(victim, true)], 'evil'));
    store.remove(key, 'default', 'victim', { propagation: 'Foreground' });
    expect(store.get(key, 'default', 'victim')).toBeUndefined();
  });

  test('what a killed daemon left behind goes at the next start', async () => {
    const table = new MemoryTable();
    const first = open(table);
    const one = first.create(key, widget('one'));
    first.create(key, widget('child', [ownedBy(one)]));
    table.delete({ resource: key, namespace: 'default', name: 'one' });
    const second = open(table);
    await nextTurn();
    await nextTurn();
    expect(names(second)).toEqual([]);
    expect(table.rows.size).toBe(0);
  });

  test('circles of owners go as a whole', () => {
    const store = open();
    const one = store.create(key, widget('one'));
    const two = store.create(key, widget('two', [ownedBy(one)]));
    store.update(key, {
      ...one,
      metadata: { ...one.metadata, ownerReferences: [ownedBy(two)] },
    });
    store.remove(key, 'default', 'one', { propagation: 'Foreground' });
    expect(names(store)).toEqual([]);
  });
});
