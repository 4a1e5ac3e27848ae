import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject, ObjectMeta } from '../objects/kube-object.ts';
import { exampleResource } from '../testing/example-resource.ts';
import { MemoryTable } from '../testing/memory-table.ts';
import { toyResources } from '../testing/toy-resources.ts';
import { createObjectStore } from './create-object-store.ts';
import type { StoreChange } from './object-store.ts';

const key = 'widgets.example.org';

const widget = (name: string, more: Partial<ObjectMeta> = {}, size = 1): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', ...more },
  spec: { size },
});

const open = (table = new MemoryTable(), historySize?: number) =>
  createObjectStore({ resources: toyResources, table, historySize });

const revisionOf = ({ metadata }: KubeObject) => Number(metadata.resourceVersion);

describe('createObjectStore', () => {
  test('completes new objects, and numbers changes', () => {
    const store = open();
    const made = store.create(key, widget('one'));
    expect(made.metadata).toMatchObject({ name: 'one', generation: 1 });
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(() => store.create(key, widget('one'))).toThrow('"one" already exists');

    const larger = store.update(key, { ...made, spec: { size: 2 } });
    expect(larger.metadata.generation).toBe(2);
    expect(revisionOf(larger)).toBeGreaterThan(revisionOf(made));
    const ready = store.update(key, { ...larger, status: { ready: true } }, { status: true });
    expect(ready.metadata.generation).toBe(2);
    expect(ready.spec).toEqual({ size: 2 });
    expect(() => store.update(key, made)).toThrow('the object has been modified');
    expect(store.revision).toBe(revisionOf(ready));
  });

  test('does not store again what is as it was', () => {
    const store = open();
    const made = store.create(key, widget('one', { labels: { a: 'b' } }));
    const { revision } = store;
    const same = { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } };
    expect(store.update(key, same)).toBe(made);
    expect(store.update(key, { ...made, status: { ready: false } }, { status: false })).not.toBe(
      made,
    );
    expect(store.revision).toBe(revision + 1);
  });

  test('what clients may not change stays', () => {
    const store = open();
    const made = store.create(key, widget('one'));
    const { resourceVersion: _, uid: __, ...rest } = made.metadata;
    const metadata = { ...rest, creationTimestamp: 'x', generation: 9, deletionTimestamp: 'y' };
    const written = store.update(key, { ...made, metadata, spec: { size: 5 } });
    const { uid, creationTimestamp } = made.metadata;
    expect(written.metadata).toMatchObject({ uid, creationTimestamp, generation: 2 });
    expect(written.metadata.deletionTimestamp).toBeUndefined();
  });

  test('makes names, five characters at random', () => {
    const store = open();
    const names = Array.from({ length: 50 }, () => {
      const { metadata } = store.create(key, widget('', { generateName: 'claim-' }));
      return metadata.name;
    });
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name).toMatch(/^claim-[a-z0-9]{5}$/);
    const long = store.create(key, widget('', { generateName: 'x'.repeat(70) }));
    expect(long.metadata.name).toHaveLength(63);
  });

  test('a dry run stores nothing', () => {
    const store = open();
    const { revision } = store;
    expect(store.create(key, widget('one'), { dryRun: true }).metadata.uid).toBeDefined();
    expect(store.get(key, 'default', 'one')).toBeUndefined();
    expect(store.revision).toBe(revision);
    const made = store.create(key, widget('one'));
    const dry = store.update(key, { ...made, spec: { size: 2 } }, { dryRun: true });
    expect(dry.spec).toEqual({ size: 2 });
    store.remove(key, 'default', 'one', { dryRun: true });
    expect(store.get(key, 'default', 'one')).toBe(made);
  });

  test('keeps objects until their finalizers are done', () => {
    const store = open();
    const types: string[] = [];
    using _ = store.subscribe(({ type }) => types.push(type));
    store.create(key, widget('one', { finalizers: ['example.org/hold'] }));
    const marked = store.remove(key, 'default', 'one');
    expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 });
    expect(marked.metadata.deletionTimestamp).toBeDefined();
    const more = { ...marked.metadata, finalizers: ['example.org/hold', 'example.org/more'] };
    expect(() => store.update(key, { ...marked, metadata: more })).toThrow('no new finalizers');
    expect(store.remove(key, 'default', 'one')).toBe(marked);
    store.update(key, { ...marked, metadata: { ...marked.metadata, finalizers: [] } });
    expect(store.get(key, 'default', 'one')).toBeUndefined();
    expect(types).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  test('checks preconditions', () => {
    const store = open();
    const { metadata } = store.create(key, widget('one'));
    const { uid, resourceVersion } = metadata;
    const remove = (options: object) => store.remove(key, 'default', 'one', options);
    expect(() => remove({ uid: 'other' })).toThrow('Precondition failed: UID');
    expect(() => remove({ resourceVersion: '1' })).toThrow('has been modified');
    expect(() => store.remove(key, 'default', 'two')).toThrow('"two" not found');
    remove({ uid, resourceVersion });
    expect(store.count(key)).toBe(0);
  });

  test('lists in order of namespace and name, and counts', () => {
    const store = open();
    for (const [namespace, name] of [
      ['b', 'x'],
      ['a', 'z'],
      ['a', 'y'],
    ] as const) {
      store.create(key, widget(name, { namespace }));
    }
    const places = (namespace?: string) =>
      store.list(key, namespace).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(places()).toEqual(['a/y', 'a/z', 'b/x']);
    expect(places('a')).toEqual(['a/y', 'a/z']);
    expect(places('c')).toEqual([]);
    expect([store.count(key), store.count(key, 'b')]).toEqual([3, 1]);
  });

  test('tells listeners in order, also of what they change themselves', () => {
    const store = open();
    const seen: number[] = [];
    const first = store.subscribe(({ type, object }) => {
      if (type === 'ADDED') store.update(key, { ...object, status: { ready: true } });
      throw new Error('a listener that fails holds nobody');
    });
    const second = store.subscribe(({ revision }) => seen.push(revision));
    store.create(key, widget('one'));
    store.create(key, widget('two'));
    expect(seen).toHaveLength(4);
    expect(seen).toEqual(seen.toSorted((left, right) => left - right));
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    store.create(key, widget('three'));
    expect(seen).toHaveLength(4);
  });

  test('a write that fails on the disk changes nothing', () => {
    const table = new MemoryTable();
    const store = open(table);
    const made = store.create(key, widget('one'));
    const changes: StoreChange[] = [];
    using _ = store.subscribe((change) => changes.push(change));
    table.broken = true;
    expect(() => store.create(key, widget('two'))).toThrow('disk is full');
    expect(() => store.update(key, { ...made, spec: { size: 2 } })).toThrow('disk is full');
    expect(() => store.remove(key, 'default', 'one')).toThrow('disk is full');
    expect(store.list(key)).toEqual([made]);
    expect(changes).toEqual([]);
    table.broken = false;
    expect(store.update(key, { ...made, spec: { size: 2 } }).spec).toEqual({ size: 2 });
  });
});

describe('restarts', () => {
  test('persistent objects are there again, derived ones are not', () => {
    const table = new MemoryTable();
    const first = open(table);
    const made = first.create(key, widget('one'));
    first.create('pods', { ...widget('one'), apiVersion: 'v1', kind: 'Pod' });
    const second = open(table);
    expect(second.list(key)).toEqual([made]);
    expect(second.list('pods')).toEqual([]);
    expect(() => second.changesSince(key, revisionOf(made))).toThrow('too old resource version');
    expect(second.changesSince(key, second.revision)).toEqual([]);
  });

  test('what cannot be read is left out', () => {
    const table = new MemoryTable();
    const row = { resource: key, namespace: 'default', name: 'bad' };
    for (const [index, object] of ['', '{', 'null', '[]', '{"metadata":{}}'].entries()) {
      table.set({ ...row, name: `bad${index}`, object });
    }
    table.set({ ...row, resource: 'gone.example.org', object: '{}' });
    const logged: string[] = [];
    const log = (message: string) => void logged.push(message);
    const store = createObjectStore({ resources: [exampleResource], table, log });
    expect(store.count(key)).toBe(0);
    expect(logged).toHaveLength(5);
  });

  test('revisions strictly grow, whatever happens and however often it is opened anew', () => {
    const step = fc.oneof(
      fc.record({
        type: fc.constantFrom('create', 'update', 'remove', 'restart'),
        name: fc.nat(4),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new MemoryTable();
        let store = open(table);
        let last = store.revision;
        let size = 1;
        for (const { type, name: number } of steps) {
          const name = `w${number}`;
          const before = store.get(key, 'default', name);
          if (type === 'restart') {
            const present = store.list(key);
            store = open(table);
            expect(store.list(key)).toEqual(present);
            expect(store.revision).toBeGreaterThanOrEqual(last);
          } else if (type === 'create' && before === undefined) {
            expect(revisionOf(store.create(key, widget(name)))).toBeGreaterThan(last);
          } else if (type === 'update' && before !== undefined) {
            size += 1;
            const next = store.update(key, { ...before, spec: { size } });
            expect(revisionOf(next)).toBeGreaterThan(last);
          } else if (type === 'remove' && before !== undefined) {
            expect(revisionOf(store.remove(key, 'default', name))).toBeGreaterThan(last);
          }
          last = store.revision;
        }
      }),
    );
  });
});

describe('history', () => {
  test('1,000 changes of one kind can be told again; too old ones cannot', () => {
    const store = open(new MemoryTable(), 1000);
    const start = store.revision;
    let object = store.create(key, widget('one'));
    for (let size = 2; size <= 1000; size += 1) {
      object = store.update(key, { ...object, spec: { size } });
    }
    const changes = store.changesSince(key, start);
    expect(changes).toHaveLength(1000);
    expect(changes.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 1000 }, (_, index) => start + 1 + index),
    );
    expect(store.changesSince(key, start + 400)).toHaveLength(600);
    store.update(key, { ...object, spec: { size: 1001 } });
    expect(() => store.changesSince(key, start)).toThrow('too old resource version');
    expect(store.changesSince(key, start + 1)).toHaveLength(1000);
  });

  test('changes of other kinds push nothing out', () => {
    const store = open(new MemoryTable(), 10);
    const start = store.revision;
    store.create(key, widget('one'));
    for (let index = 0; index < 100; index += 1) {
      store.create('pods', { ...widget(`pod${index}`), apiVersion: 'v1', kind: 'Pod' });
    }
    expect(store.changesSince(key, start)).toHaveLength(1);
  });

  test('is bounded in bytes', () => {
    const store = open();
    const start = store.revision;
    let object = store.create(key, widget('one'));
    for (let index = 0; index < 50; index += 1) {
      object = store.update(key, {
        ...object,
        spec: { size: 1, data: { x: `${index}`.repeat(1 << 19) } },
      });
    }
    expect(() => store.changesSince(key, start)).toThrow('too old resource version');
    expect(store.changesSince(key, store.revision - 5)).toHaveLength(5);
  });
});
