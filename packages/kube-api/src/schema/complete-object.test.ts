import { describe, expect, test } from 'vitest';
import { KubeError } from '../objects/kube-error.ts';
import type { Resource } from '../objects/resource.ts';
import { completeObject } from './complete-object.ts';
import { startCpuTime } from '../testing/cpu-time.ts';
import { exampleResource } from '../testing/example-resource.ts';

const widget = (spec: unknown, metadata: unknown = { name: 'w' }) => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata,
  spec,
});

function failure(run: () => unknown): KubeError {
  try {
    run();
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
  throw new Error('It did not fail.');
}

const complete = (object: unknown, options: Parameters<typeof completeObject>[3] = {}) =>
  completeObject(exampleResource, 'v1', object, { namespace: 'default', ...options });

describe('what comes in', () => {
  test('takes defaults, the namespace of the request, and keeps what is known', () => {
    const { object, warnings } = complete(
      widget({ size: 3, ports: [{ name: 'a' }], data: { x: '1' }, any: { what: [1] } }),
    );
    expect(object).toEqual({
      ...widget({
        size: 3,
        policy: 'Keep',
        ports: [{ name: 'a', protocol: 'TCP' }],
        data: { x: '1' },
        any: { what: [1] },
      }),
      metadata: { name: 'w', namespace: 'default' },
    });
    expect(warnings).toEqual([]);
  });

  test('loses unknown fields with a warning, silently, or is refused', () => {
    const object = widget({ size: 1, sise: 2, ports: [{ name: 'a', no: 1 }] });
    const warned = complete(object);
    expect(warned.warnings.toSorted()).toEqual([
      'unknown field "spec.ports[0].no"',
      'unknown field "spec.sise"',
    ]);
    expect(warned.object.spec).not.toHaveProperty('sise');
    expect(complete(object, { fieldValidation: 'Ignore' }).warnings).toEqual([]);
    const refused = failure(() => complete(object, { fieldValidation: 'Strict' }));
    expect(refused.code).toBe(400);
    expect(refused.message).toContain('strict decoding error: unknown field "spec.sise"');
  });

  test('is not told of unknown fields that were there before', () => {
    const before = { ...complete(widget({ size: 1 })).object, old: { x: 1 } };
    const object = { ...before, spec: { size: 2, newer: 1 } };
    const { warnings, object: completed } = complete(object, { before });
    expect(warnings).toEqual(['unknown field "spec.newer"']);
    expect(completed).not.toHaveProperty('old');
  });

  test('is told all that is wrong with it at once, in the words of Kubernetes', () => {
    const error = failure(() =>
      complete(widget({ size: 'big', policy: 'x', at: 'tomorrow', limits: { cpu: 'lots' } })),
    );
    expect(error.code).toBe(422);
    expect(error.message).toMatch(/^Widget\.example\.org "w" is invalid: \[/);
    expect(error.details?.causes?.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
      'spec.policy: Unsupported value: "x": supported values: "Keep", "Drop"',
      'spec.at: Invalid value: "tomorrow": spec.at in body must be of type date-time: "tomorrow"',
      'spec.limits.cpu: Invalid value: "lots": spec.limits.cpu in body should match \'^[0-9]+m?$\'',
    ]);
  });

  test('needs its required fields, and unique items in maps and sets', () => {
    const error = failure(() =>
      complete(widget({ ports: [{ name: 'a' }, { name: 'a' }], tags: ['x', 'x'] })),
    );
    expect(error.details?.causes).toEqual([
      { field: 'spec.size', message: 'Required value', reason: 'FieldValueRequired' },
      {
        field: 'spec.ports[1]',
        message: 'Duplicate value: {"name":"a","protocol":"TCP"}',
        reason: 'FieldValueDuplicate',
      },
      {
        field: 'spec.tags[1]',
        message: 'Duplicate value: "x"',
        reason: 'FieldValueDuplicate',
      },
    ]);
  });

  test('has rules about changes', () => {
    const before = complete(widget({ size: 3 })).object;
    const error = failure(() => complete(widget({ size: 2 }), { before }));
    expect(error.message).toBe(
      'Widget.example.org "w" is invalid: spec: Invalid value: "object": size must not shrink',
    );
    expect(complete(widget({ size: 4 }), { before }).object.spec).toMatchObject({ size: 4 });
  });

  test('a rule without code stops it', () => {
    const { rules: _, ...bare } = exampleResource;
    const resource: Resource = { ...bare, versions: bare.versions.map((v) => ({ ...v })) };
    expect(() => completeObject(resource, 'v1', widget({ size: 1 }), { namespace: 'a' })).toThrow(
      /no code for the rule/,
    );
  });
});

describe('metadata', () => {
  test.each([
    [{ name: 'Not_a_name' }, 'metadata.name'],
    [{}, 'metadata.name'],
    [{ name: 'a'.repeat(254) }, 'metadata.name'],
    [{ name: 'a', labels: { 'a b': 'x' } }, 'metadata.labels'],
    [{ name: 'a', labels: { a: '-' } }, 'metadata.labels'],
    [{ name: 'a', labels: { a: 1 } }, 'metadata.labels.a'],
    [{ name: 'a', annotations: { a: 'x'.repeat(300_000) } }, 'metadata.annotations'],
    [{ name: 'a', finalizers: ['/x'] }, 'metadata.finalizers[0]'],
    [{ name: 'a', finalizers: ['x', 'x'] }, 'metadata.finalizers[1]'],
    [
      { name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'A', name: 'a' }] },
      'metadata.ownerReferences[0].uid',
    ],
    [{ name: 5 }, 'metadata.name'],
  ])('%j is wrong in %s', (metadata, field) => {
    const error = failure(() => complete(widget({ size: 1 }, metadata)));
    expect(error.code).toBe(422);
    expect(error.details?.causes?.map((cause) => cause.field)).toContain(field);
  });

  test('must be of the namespace and the name of the request', () => {
    const object = widget({ size: 1 }, { name: 'w', namespace: 'other' });
    expect(failure(() => complete(object)).code).toBe(400);
    expect(failure(() => complete(widget({ size: 1 }), { name: 'v' })).code).toBe(400);
  });

  test('fields that are null are left out', () => {
    const metadata = { name: 'w', creationTimestamp: null, labels: null };
    expect(complete(widget({ size: 1 }, metadata)).object.metadata).toEqual({
      name: 'w',
      namespace: 'default',
    });
  });
});

describe('hostile objects', () => {
  test('that are too deep, too large or have the field __proto__ are refused', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 5000; level += 1) deep = { a: deep };
    expect(failure(() => complete(widget({ size: 1, any: deep }))).code).toBe(400);
    const large = Array.from({ length: 200_000 }, () => 0);
    expect(failure(() => complete(widget({ size: 1, any: large }))).code).toBe(413);
    const polluting: unknown = JSON.parse('{"size":1,"any":{"__proto__":{"x":1}}}');
    expect(failure(() => complete(widget(polluting))).code).toBe(400);
  });

  test('that are no objects, or have objects for texts, are refused', () => {
    for (const body of [null, 1, 'x', [], { metadata: [] }, { kind: { toString: 1 } }]) {
      expect(failure(() => complete(body)).code).toBe(400);
    }
    const name = { name: { toString: 1 } };
    expect(failure(() => complete(widget({ size: 1 }, name), { name: 'w' })).code).toBe(400);
  });

  test('names of what all objects have are fields like others', () => {
    const { object } = complete(
      widget({ size: 1, data: { constructor: 'a', toString: 'b' }, hasOwnProperty: 1 }),
    );
    expect(object.spec).toEqual({
      size: 1,
      policy: 'Keep',
      data: { constructor: 'a', toString: 'b' },
    });
  });

  test('errors are short, whatever is in them', () => {
    const name = 'x'.repeat(1_000_000);
    const limits = Object.fromEntries(['a', 'b', 'c'].map((end) => [name + end, true]));
    const error = failure(() => complete(widget({ size: 1, limits })));
    expect(error.message.length).toBeLessThan(20_000);
    const strict = { fieldValidation: 'Strict' } as const;
    const unknown = failure(() => complete(widget({ size: 1, ...limits }), strict));
    expect(unknown.message.length).toBeLessThan(20_000);
  });

  test('a long text is not matched against a pattern', () => {
    const cpuMs = startCpuTime();
    const error = failure(() => complete(widget({ size: 1, limits: { cpu: '1'.repeat(2e6) } })));
    expect(error.code).toBe(422);
    expect(error.message.length).toBeLessThan(1000);
    expect(cpuMs()).toBeLessThan(2000);
  });
});
