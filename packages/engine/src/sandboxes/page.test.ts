import { randomUUID } from 'node:crypto';
import { type ListSandboxesQuery, namespaceSchema, type SandboxId } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches, newestFirst, page } from './page.ts';

const row = (createdAtMs: number, metadata: Record<string, string> = {}): SandboxRow => ({
  id: randomUUID() as SandboxId,
  namespace: namespaceSchema.parse('default'),
  template: 'base',
  isolation: 'gvisor',
  status: 'running',
  spec: {},
  metadata,
  ttlSeconds: 0,
  persistent: false,
  idleTimeoutSeconds: 0,
  idleAction: 'hibernate',
  activeAt: new Date(createdAtMs),
  bootMode: 'cold',
  pooled: false,
  bootMs: 0,
  createdAt: new Date(createdAtMs),
});

test('pages put together are the whole list, each row once, also with equal times', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      (times, limit) => {
        const rows = times.map((time) => row(time)).sort(newestFirst);
        const seen: SandboxRow[] = [];
        let query: ListSandboxesQuery | undefined = { limit };
        while (query !== undefined) {
          const next = page(rows, query);
          seen.push(...next.rows);
          query = next.nextCursor === undefined ? undefined : { limit, cursor: next.nextCursor };
        }
        expect(seen).toEqual(rows);
      },
    ),
  );
});

test('metadata filters look for equal values, all of them', () => {
  const labelled = row(1, { a: '1', b: '2' });
  expect(matches(labelled, { metadata: { a: '1' } })).toBe(true);
  expect(matches(labelled, { metadata: { a: '1', b: '3' } })).toBe(false);
  expect(matches(labelled, { metadata: { constructor: 'x' } })).toBe(false);
  expect(matches(labelled, { status: 'failed' })).toBe(false);
});

test('a cursor of nobody is refused', () => {
  expect(() => page([], { cursor: 'nonsense' })).toThrow(/cursor/);
});
