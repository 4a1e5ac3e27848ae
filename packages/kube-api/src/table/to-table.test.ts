import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../objects/kube-object.ts';
import { exampleResource } from '../testing/example-resource.ts';
import { ageOf } from './age.ts';
import { jsonPath } from './json-path.ts';
import { toTable } from './to-table.ts';

const at = new Date('2026-01-01T01:00:00Z');
const widget: KubeObject = {
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'a', creationTimestamp: '2026-01-01T00:57:00Z' },
  spec: { size: 3, policy: 'Keep' },
  status: {
    conditions: [
      { type: 'Other', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  },
};

describe('a table', () => {
  test('has the columns of the version, and metadata in its rows', () => {
    const metadata = { resourceVersion: '7' };
    expect(toTable(exampleResource, 'v1', [widget], { at, metadata })).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      columnDefinitions: [
        { name: 'Name', format: 'name' },
        { name: 'Ready', type: 'string', priority: 0 },
        { name: 'Size', type: 'integer' },
        { name: 'Policy', priority: 1 },
        { name: 'Age', type: 'date' },
      ],
      rows: [
        {
          cells: ['w', 'True', 3, 'Keep', '3m'],
          object: { kind: 'PartialObjectMetadata', metadata: widget.metadata },
        },
      ],
    });
  });

  test('has nothing where an object has nothing', () => {
    const bare = { ...widget, spec: {}, status: {}, metadata: { name: 'w' } };
    const { rows } = toTable(exampleResource, 'v1', [bare], { at, includeObject: 'None' });
    expect(rows).toEqual([{ cells: ['w', null, null, null, null] }]);
  });

  test('of a version without columns has the age', () => {
    const versions = exampleResource.versions.map((version) => ({ ...version, columns: [] }));
    const resource = { ...exampleResource, versions };
    const options = { at, includeObject: 'Object', withHeaders: false } as const;
    expect(toTable(resource, 'v1', [widget], options)).toMatchObject({
      columnDefinitions: [],
      rows: [{ cells: ['w', '3m'], object: widget }],
    });
  });

  test('has the name where the kind says', () => {
    const columns = [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' } as const,
      { name: 'Name', type: 'string', jsonPath: '.metadata.name', priority: 1 } as const,
    ];
    const versions = exampleResource.versions.map((version) => ({ ...version, columns }));
    const { rows } = toTable({ ...exampleResource, versions }, 'v1', [widget], {
      includeObject: 'None',
    });
    expect(rows).toEqual([{ cells: [3, 'w'] }]);
  });

  test('has cells of code', () => {
    const columns = [{ name: 'Ready', type: 'string', jsonPath: '', cell: () => '1/1' } as const];
    const versions = exampleResource.versions.map((version) => ({ ...version, columns }));
    const { rows } = toTable({ ...exampleResource, versions }, 'v1', [widget], {
      includeObject: 'None',
    });
    expect(rows).toEqual([{ cells: ['w', '1/1'] }]);
  });
});

describe('a path', () => {
  const value = {
    a: { 'b.c/d': 1, list: [{ n: 'x', v: 1 }, { n: 'y', v: 2 }, { v: 3 }], ok: true },
  };
  test.each([
    ['.a.list[0].v', [1]],
    ['{.a.list[-1].v}', [3]],
    ['$.a.list[*].v', [1, 2, 3]],
    ['.a.list[*].n', ['x', 'y']],
    [`.a['b.c/d']`, [1]],
    [`.a["b.c/d"]`, [1]],
    ['.a.b\\.c/d', [1]],
    [`.a.list[?(@.n=='y')].v`, [2]],
    [`.a.list[?(@.n == "y")].v`, [2]],
    [`.a.list[?(@.v!=1)].v`, [2, 3]],
    [`.a.list[?(@.n)].v`, [1, 2]],
    ['.a.ok', [true]],
    ['.a.none.x', []],
    ['.a.list[9]', []],
    ['.constructor', []],
    ['.a.list.length', []],
    ['', [value]],
  ])('%s', (path, expected) => {
    expect(jsonPath(path)(value)).toEqual(expected);
  });

  test.each(['..a', '.a[', '.a[1:2]', '.a[?(@.x>1)]', '.a[(1)]'])('%s is not known', (path) => {
    expect(() => jsonPath(path)).toThrow();
  });

  test('follows no more values than a cell has room for', () => {
    const wide = { a: Array.from({ length: 100_000 }, () => ({ b: [1, 2, 3] })) };
    expect(jsonPath('.a[*].b[*]')(wide)).toHaveLength(1000);
  });
});

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [200, '3m20s'],
  [3600, '60m'],
  [4 * 3600, '4h'],
  [4 * 3600 + 61, '4h1m'],
  [20 * 3600, '20h'],
  [86_400 * 3 + 7200, '3d2h'],
  [86_400 * 30, '30d'],
  [86_400 * 800, '2y70d'],
  [-60, '<invalid>'],
])('an age of %d seconds is %s', (seconds, text) => {
  expect(ageOf(new Date(at.getTime() - seconds * 1000).toISOString(), at)).toBe(text);
});
