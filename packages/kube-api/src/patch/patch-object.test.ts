import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KubeError } from '../objects/kube-error.ts';
import { startCpuTime } from '../testing/cpu-time.ts';
import { exampleResource } from '../testing/example-resource.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { patchObject } from './patch-object.ts';
import { patchTypeOf } from './patch-type.ts';

const codeOf = (run: () => unknown): number => {
  try {
    run();
  } catch (error) {
    if (error instanceof KubeError) return error.code;
    throw error;
  }
  return 200;
};

const json = fc.jsonValue({ maxDepth: 4 });
/** Fields that hold what merge patches can set: no null. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field, child]) => child !== null && field !== '__proto__')
      .map(([field, child]) => [field, withoutNulls(child)]),
  );
};
const fields = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,2}$/), json, { maxKeys: 6 })
  .map((value) => withoutNulls(value) as Record<string, unknown>);

/** The patch that makes `to` of `from`. */
const difference = (from: unknown, to: unknown): unknown => {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(from) || !isObject(to)) return to;
  return Object.fromEntries([
    ...Object.keys(from)
      .filter((field) => !Object.hasOwn(to, field))
      .map((field) => [field, null]),
    ...Object.entries(to).map(([field, value]) => [
      field,
      Object.hasOwn(from, field) ? difference(from[field], value) : value,
    ]),
  ]);
};

describe('a JSON merge patch', () => {
  test('makes any object of any other, and twice is once', () => {
    fc.assert(
      fc.property(fields, fields, (from, to) => {
        const patch = difference(from, to);
        const once = applyMergePatch(from, patch);
        expect(once).toEqual(to);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  test('that is empty changes nothing', () => {
    fc.assert(
      fc.property(fields, (object) => {
        expect(applyMergePatch(object, {})).toEqual(object);
      }),
    );
  });
});

describe('a JSON patch', () => {
  test('adds, tests, replaces, copies, moves and removes', () => {
    const document = { a: { 'x/y': 1, '~': 2 }, list: [1, 3] };
    const frozen = structuredClone(document);
    const patched = applyJsonPatch(document, [
      { op: 'test', path: '/a/x~1y', value: 1 },
      { op: 'test', path: '/a/~0', value: 2 },
      { op: 'add', path: '/list/1', value: 2 },
      { op: 'add', path: '/list/-', value: 4 },
      { op: 'replace', path: '/a/x~1y', value: { deep: true } },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'remove', path: '/b/~0' },
      { op: 'move', from: '/list/0', path: '/a/first' },
    ]);
    expect(patched).toEqual({
      a: { 'x/y': { deep: true }, '~': 2, first: 1 },
      b: { 'x/y': { deep: true } },
      list: [2, 3, 4],
    });
    expect(document).toEqual(frozen);
  });

  test('of add and remove of a new field leaves the document as it was', () => {
    fc.assert(
      fc.property(fields, json, (document, value) => {
        const patch = [
          { op: 'add', path: '/new', value: withoutNulls(value) ?? 1 },
          { op: 'copy', from: '/new', path: '/other' },
          { op: 'remove', path: '/new' },
          { op: 'remove', path: '/other' },
        ];
        expect(applyJsonPatch(document, patch)).toEqual(document);
      }),
    );
  });

  test.each([
    [{ op: 'test', path: '/a', value: 2 }, 422],
    [{ op: 'remove', path: '/none' }, 422],
    [{ op: 'replace', path: '/none', value: 1 }, 422],
    [{ op: 'add', path: '/none/x', value: 1 }, 422],
    [{ op: 'add', path: '/list/7', value: 1 }, 422],
    [{ op: 'add', path: '/list/01', value: 1 }, 422],
    [{ op: 'add', path: '/a/x', value: 1 }, 422],
    [{ op: 'move', from: '/o', path: '/o/p' }, 422],
    [{ op: 'remove', path: '' }, 422],
    [{ op: 'add', path: '/constructor/prototype/x', value: 1 }, 422],
    [{ op: 'add', path: '/__proto__', value: {} }, 400],
    [{ op: 'add', path: '/__proto__/x', value: 1 }, 422],
    [{ op: 'add', path: 'a', value: 1 }, 400],
    [{ op: 'add', path: '/a~2', value: 1 }, 400],
    [{ op: 'add', path: '/a' }, 400],
    [{ op: 'what', path: '/a' }, 400],
    [{ op: 'copy', path: '/a' }, 400],
    ['add', 400],
  ])('that does not fit is refused: %j', (operation, code) => {
    const document = { a: 1, list: [1], o: {} };
    expect(codeOf(() => applyJsonPatch(document, [operation]))).toBe(code);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('that is huge is refused, soon', () => {
    const cpuMs = startCpuTime();
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }));
    expect(codeOf(() => applyJsonPatch({ a: 1 }, operations))).toBe(413);
    const doubling = Array.from({ length: 60 }, (_, index) => ({
      op: 'copy',
      from: '/o',
      path: `/o/${index}`,
    }));
    expect(codeOf(() => applyJsonPatch({ o: {} }, doubling))).toBe(413);
    const texts = Array.from({ length: 9000 }, (_, index) => ({
      op: 'copy',
      from: '/a',
      path: `/b${index}`,
    }));
    expect(codeOf(() => applyJsonPatch({ a: 'x'.repeat(1_000_000) }, texts))).toBe(413);
    const nesting = Array.from({ length: 1500 }, () => [
      { op: 'add', path: '/b', value: {} },
      { op: 'move', from: '/a', path: '/b/a' },
      { op: 'move', from: '/b', path: '/a' },
    ]).flat();
    expect(codeOf(() => applyJsonPatch({ a: 1 }, nesting))).toBe(200);
    const deep = [...nesting, { op: 'copy', from: '/a', path: '/c' }];
    expect(codeOf(() => applyJsonPatch({ a: 1 }, deep))).toBe(413);
    const long = Array.from({ length: 90_000 }, () => 0);
    const inserting = Array.from({ length: 5_000 }, () => ({ op: 'add', path: '/a/0', value: 1 }));
    expect(codeOf(() => applyJsonPatch({ a: long }, inserting))).toBe(200);
    expect(cpuMs()).toBeLessThan(3000);
  });

  const pointer = fc
    .array(
      fc.oneof(fc.constantFrom('a', 'b', '0', '-', '__proto__', 'constructor', '~'), fc.string()),
    )
    .map((parts) => parts.map((part) => `/${part}`).join(''));
  const operation = fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path: pointer,
      from: pointer,
      value: json,
    },
    { requiredKeys: [] },
  );

  test('whatever it is, changes a copy or is refused', () => {
    fc.assert(
      fc.property(json, fc.array(fc.oneof(operation, json)), (document, patch) => {
        const before = structuredClone(document);
        expect([200, 400, 413, 422]).toContain(codeOf(() => applyJsonPatch(document, patch)));
        expect(document).toEqual(before);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});

describe('a patch of an object', () => {
  const object = {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    metadata: { name: 'w', labels: { a: '1' }, finalizers: ['x/y'] },
    spec: { size: 1 },
  };
  const pod = {
    ...exampleResource,
    group: '',
  };

  test('merges', () => {
    const patch = { metadata: { labels: { a: null, b: '2' } }, spec: { size: 2 } };
    expect(patchObject(exampleResource, 'merge', object, patch)).toEqual({
      ...object,
      metadata: { ...object.metadata, labels: { b: '2' } },
      spec: { size: 2 },
    });
  });

  test('a strategic one is for the kinds of Kubernetes itself', () => {
    expect(codeOf(() => patchObject(exampleResource, 'strategic', object, {}))).toBe(415);
    const patch = {
      metadata: { finalizers: ['z/z'], labels: { b: '2' } },
      spec: { ports: [{ name: 'b', number: 2 }] },
    };
    const before = {
      ...object,
      apiVersion: 'v1',
      spec: { ports: [{ name: 'a' }, { name: 'b', protocol: 'UDP' }] },
    };
    expect(patchObject(pod, 'strategic', before, patch)).toEqual({
      ...before,
      metadata: { ...object.metadata, labels: { a: '1', b: '2' }, finalizers: ['x/y', 'z/z'] },
      spec: { ports: [{ name: 'a' }, { name: 'b', protocol: 'UDP', number: 2 }] },
    });
    const removal = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['x/y'] },
      spec: { ports: [{ $patch: 'delete', name: 'a' }], '$setElementOrder/ports': [] },
    };
    expect(patchObject(pod, 'strategic', before, removal)).toEqual({
      ...before,
      metadata: { ...object.metadata, finalizers: [] },
      spec: { ports: [{ name: 'b', protocol: 'UDP' }] },
    });
  });

  test('that is no object, or too deep, is refused', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 5000; level += 1) deep = { a: deep };
    for (const patch of [null, [], 'x', { spec: deep }]) {
      expect(codeOf(() => patchObject(exampleResource, 'merge', object, patch))).toBe(400);
    }
    const polluting: unknown = JSON.parse('{"spec":{"__proto__":{"polluted":1}}}');
    expect(codeOf(() => patchObject(exampleResource, 'merge', object, polluting))).toBe(400);
  });

  test('is read by its content type', () => {
    expect(patchTypeOf('application/merge-patch+json; charset=utf-8')).toBe('merge');
    expect(patchTypeOf('application/apply-patch+yaml')).toBe('apply');
    expect(codeOf(() => patchTypeOf('application/json'))).toBe(415);
    expect(codeOf(() => patchTypeOf(undefined))).toBe(415);
  });
});
