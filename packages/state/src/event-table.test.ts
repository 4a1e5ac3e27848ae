import { namespaceSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { openState } from './state.ts';

const namespace = namespaceSchema.parse('default');
const other = namespaceSchema.parse('other');
const day = 86_400_000;

test('events are read from either end, of one sandbox, and of some namespaces', () => {
  using state = openState(':memory:');
  const { events } = state;
  expect(events.lastId()).toBe(0);
  const insert = (sandbox: string, of = namespace) =>
    events.insert({ sandbox, namespace: of, at: new Date(), type: 'paused', payload: { a: 1 } }).id;
  const ids = [insert('a'), insert('b', other), insert('a'), insert('a')];
  const idsOf = (rows: { id: number }[]) => rows.map(({ id }) => id);
  expect(idsOf(events.last(2))).toEqual(ids.slice(2));
  expect(idsOf(events.last(2, { sandbox: 'a' }))).toEqual(ids.slice(2));
  expect(idsOf(events.last(9, { namespaces: [namespace] }))).toEqual([ids[0], ids[2], ids[3]]);
  expect(idsOf(events.last(9, { namespaces: [] }))).toEqual([]);
  expect(idsOf(events.since(ids[0] ?? 0, 2))).toEqual([ids[1], ids[2]]);
  expect(idsOf(events.since(0, 9, { sandbox: 'a', namespaces: [other] }))).toEqual([]);
  expect(events.lastId()).toBe(ids[3]);
  expect(events.namespaceOf('b')).toBe(other);
  expect(events.namespaceOf('c')).toBeUndefined();
  expect(events.last(1)[0]).toMatchObject({ sandbox: 'a', type: 'paused', payload: { a: 1 } });
});

test('events go in the order of their age, and some time after their sandbox', () => {
  using state = openState(':memory:');
  const { events } = state;
  const insert = (sandbox: string, type: 'paused' | 'deleted', at: Date) =>
    events.insert({ sandbox, namespace, at, type, payload: {} }).id;
  const old = new Date(Date.now() - 2 * day);
  const ids = [0, 1, 2, 3, 4].map(() => insert('living', 'paused', old));
  insert('long gone', 'paused', old);
  insert('long gone', 'deleted', old);
  insert('just gone', 'paused', old);
  insert('just gone', 'deleted', new Date());
  events.prune(new Date(Date.now() - day));
  expect(new Set(events.last(99).map(({ sandbox }) => sandbox))).toEqual(
    new Set(['living', 'just gone']),
  );
  events.cut('living', 2);
  expect(events.last(99, { sandbox: 'living' }).map(({ id }) => id)).toEqual(ids.slice(3));
  events.cut('living', 2);
  expect(events.last(99, { sandbox: 'living' })).toHaveLength(2);
  expect(events.last(99, { sandbox: 'just gone' })).toHaveLength(2);
});
