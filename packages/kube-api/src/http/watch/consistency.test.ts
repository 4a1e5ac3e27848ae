import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KubeObject } from '../../objects/kube-object.ts';
import { createObjectStore } from '../../store/create-object-store.ts';
import { MemoryTable } from '../../testing/memory-table.ts';
import { toyResources } from '../../testing/toy-resources.ts';
import { placeOf, visibility } from '../access/visible-objects.ts';
import { ResourceIndex } from '../requests/resource-index.ts';
import { listObjects } from '../verbs/list.ts';
import { selectionOf, typeFor } from './selection.ts';

const key = 'widgets.example.org';

const step = fc.record({
  type: fc.constantFrom('put', 'put', 'remove'),
  namespace: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('one', 'two', 'three', 'four'),
  color: fc.constantFrom('red', 'blue'),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const newStore = () => createObjectStore({ resources: toyResources, table: new MemoryTable() });

function run(store: ReturnType<typeof newStore>, { type, namespace, name, color }: Step): void {
  const before = store.get(key, namespace, name);
  if (type === 'remove') {
    if (before !== undefined) store.remove(key, namespace, name);
    return;
  }
  const object: KubeObject = {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    metadata: { name, namespace, labels: { color } },
    spec: { size: 1 },
  };
  if (before === undefined) store.create(key, object);
  else store.update(key, object);
}

const queries = fc.constantFrom(
  '',
  'labelSelector=color%3Dred',
  'fieldSelector=metadata.name%3Done',
);
const places = fc.constantFrom('', '/namespaces/a');
const callers = fc.constantFrom(undefined, new Set(['b']));

/** As a client sees it that lists at one moment, and lists or watches from there. */
test('a list and what is watched after it are what is there, from every moment', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      queries,
      places,
      callers,
      (steps, text, place, namespaces) => {
        const store = newStore();
        const query = new URLSearchParams(text);
        const target = new ResourceIndex(toyResources).find(`/apis/example.org/v1${place}/widgets`);
        const caller = { name: 'x', groups: [], namespaces };
        const grant = namespaces !== undefined && place === '' ? 'own' : 'all';
        const seen = visibility({ store }, { caller }, target, grant);
        const list = (more: Record<string, string> = {}) => {
          const all = new URLSearchParams([...query, ...Object.entries(more)]);
          return listObjects(store, key, seen, all).objects;
        };

        const moments = new Map([[store.revision, list()]]);
        for (const each of steps) {
          run(store, each);
          moments.set(store.revision, list());
        }
        const present = list();
        for (const [revision, listed] of moments) {
          const exact = { resourceVersionMatch: 'Exact', resourceVersion: String(revision) };
          expect(list(exact)).toEqual(listed);

          const held = new Map(listed.map((object) => [placeOf(object), object]));
          for (const change of store.changesSince(key, revision)) {
            if (!seen.sees(change)) continue;
            const type = typeFor(change, selectionOf(query).matches);
            const at = placeOf(change.object);
            if (type !== undefined) expect(held.has(at)).toBe(type !== 'ADDED');
            if (type === 'DELETED') held.delete(at);
            else if (type !== undefined) held.set(at, change.object);
          }
          expect(new Set(held.values())).toEqual(new Set(present));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('pages put together are the list, whatever happens in between', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 20 }),
      fc.array(step, { maxLength: 20 }),
      fc.integer({ min: 1, max: 3 }),
      (first, between, limit) => {
        const store = newStore();
        const target = new ResourceIndex(toyResources).find('/apis/example.org/v1/widgets');
        const caller = { name: 'x', groups: [] };
        const seen = visibility({ store }, { caller }, target, 'all');
        const page = (token: string) =>
          listObjects(
            store,
            key,
            seen,
            new URLSearchParams({ limit: String(limit), continue: token }),
          );
        for (const each of first) run(store, each);
        const whole = store.list(key);
        const paged: KubeObject[] = [];
        const later = [...between];
        for (let token: unknown = ''; typeof token === 'string'; ) {
          const { objects, metadata } = page(token);
          paged.push(...objects);
          token = metadata['continue'];
          const next = later.shift();
          if (next !== undefined) run(store, next);
        }
        expect(paged).toEqual(whole);
      },
    ),
  );
});
