import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';
import { completeObject } from '../schema/complete-object.ts';
import { sameObject } from '../store/same-object.ts';
import { exampleResource as resource } from '../testing/example-resource.ts';
import { applyConfig } from './apply-config.ts';
import { managerName } from './manager-name.ts';
import { trackUpdate } from './track-update.ts';

const widget = (spec: object, metadata: object = {}): Record<string, unknown> => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'w', ...metadata },
  spec,
});

interface Write {
  readonly manager: string;
  readonly force?: boolean;
  readonly at?: Date;
  readonly subresource?: string;
}

const checked = (object: unknown, of: Resource = resource): KubeObject =>
  completeObject(of, 'v1', object, { namespace: 'default' }).object;

const apply = (before: KubeObject | undefined, config: unknown, write: Write): KubeObject =>
  checked(applyConfig({ resource, versionName: 'v1', before, config, ...write }));

const update = (before: KubeObject | undefined, object: unknown, write: Write): KubeObject =>
  trackUpdate({ resource, versionName: 'v1', before, after: checked(object), ...write });

const failure = (run: () => unknown): KubeError => {
  try {
    run();
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
  throw new Error('It did not fail.');
};

const fieldsOf = (object: KubeObject, manager: string): unknown =>
  object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

describe('ownership', () => {
  test('of what an applier says: no more, no less', () => {
    const object = apply(
      undefined,
      widget(
        {
          size: 1,
          ports: [{ name: 'a', number: 1 }],
          tags: ['x'],
          steps: ['1'],
          whole: { a: '1' },
        },
        { labels: { l: '1' }, finalizers: ['a/b'] },
      ),
      { manager: 'one' },
    );
    expect(object.spec).toMatchObject({ policy: 'Keep' });
    expect(object.metadata.managedFields).toMatchObject([
      { manager: 'one', operation: 'Apply', apiVersion: 'example.org/v1', fieldsType: 'FieldsV1' },
    ]);
    expect(fieldsOf(object, 'one')).toEqual({
      'f:metadata': { 'f:labels': { 'f:l': {} }, 'f:finalizers': { 'v:"a/b"': {} } },
      'f:spec': {
        'f:size': {},
        'f:ports': {
          'k:{"name":"a","protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:number': {} },
        },
        'f:tags': { 'v:"x"': {} },
        'f:steps': {},
        'f:whole': {},
      },
    });
  });

  test('goes to whoever changes a field by an update', () => {
    const made = apply(undefined, widget({ size: 1, policy: 'Drop' }), { manager: 'one' });
    const object = update(made, { ...made, spec: { ...made.spec, size: 2 } }, { manager: 'two' });
    expect(fieldsOf(object, 'one')).toEqual({ 'f:spec': { 'f:policy': {} } });
    expect(fieldsOf(object, 'two')).toEqual({ 'f:spec': { 'f:size': {} } });
  });

  test('ends with the field', () => {
    const made = update(undefined, widget({ size: 1, tags: ['x'] }), { manager: 'one' });
    const object = update(made, { ...made, spec: { size: 1, policy: 'Keep' } }, { manager: 'two' });
    expect(JSON.stringify(fieldsOf(object, 'one'))).not.toContain('tags');
  });

  test('of the status is that of /status', () => {
    const made = update(undefined, widget({ size: 1 }), { manager: 'one' });
    const status = { ready: true };
    const ignored = update(made, { ...made, status }, { manager: 'two' });
    expect(fieldsOf(ignored, 'two')).toBeUndefined();
    const object = update(
      made,
      { ...made, status, spec: { size: 5 } },
      { manager: 'two', subresource: 'status' },
    );
    expect(object.metadata.managedFields).toMatchObject([{ manager: 'one' }, { manager: 'two' }]);
    expect(object.metadata.managedFields?.[1]).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { '.': {}, 'f:ready': {} } },
    });
  });

  test('can be written by clients, and forgotten', () => {
    const made = update(undefined, widget({ size: 1 }), { manager: 'kubectl-client-side-apply' });
    const moved = made.metadata.managedFields?.map((entry) => ({
      ...entry,
      manager: 'kubectl',
      operation: 'Apply' as const,
    }));
    const sent = { ...made, metadata: { ...made.metadata, managedFields: moved } };
    expect(update(made, sent, { manager: 'kubectl' }).metadata.managedFields).toEqual(moved);
    const reset = { ...made, metadata: { ...made.metadata, managedFields: [{}] } };
    expect(update(made, reset, { manager: 'x' }).metadata.managedFields).toBeUndefined();
    for (const wrong of [[{ manager: 1 }], [{ fieldsV1: { 'x:y': {} } }], []]) {
      const object = { ...made, metadata: { ...made.metadata, managedFields: wrong } };
      expect(update(made, object, { manager: 'x' }).metadata.managedFields).toEqual(
        made.metadata.managedFields,
      );
    }
  });

  test('of many who updated is kept together', () => {
    let object = update(undefined, widget({ size: 1 }), { manager: 'first' });
    for (let index = 0; index < 40; index += 1) {
      const labels = { ...object.metadata.labels, [`l${index}`]: 'x' };
      const next = { ...object, metadata: { ...object.metadata, labels } };
      object = update(object, next, { manager: `m${index}`, at: new Date(1e12 + index * 1000) });
    }
    expect(object.metadata.managedFields).toHaveLength(10);
    expect(JSON.stringify(fieldsOf(object, 'ancient-changes'))).toContain('f:l3');
  });
});

describe('an apply', () => {
  test('again changes nothing, not even the time of who did it before', () => {
    const config = widget(
      { size: 1, ports: [{ name: 'b' }, { name: 'a' }], tags: ['y', 'x'] },
      { labels: { a: '1' }, creationTimestamp: null },
    );
    const once = apply(undefined, config, { manager: 'one', at: new Date(0) });
    const twice = apply(once, config, { manager: 'one' });
    expect(sameObject(once, twice)).toBe(true);
  });

  test('takes away what its manager no longer wants, and nothing of others', () => {
    const made = apply(
      undefined,
      widget(
        {
          size: 1,
          ports: [{ name: 'a' }, { name: 'b' }],
          tags: ['x', 'y'],
          data: { a: '1', b: '2' },
        },
        { labels: { a: '1' } },
      ),
      { manager: 'one' },
    );
    const shared = apply(made, widget({ size: 1, tags: ['y', 'z'], data: { b: '2' } }), {
      manager: 'two',
    });
    const object = apply(shared, widget({ size: 1, ports: [{ name: 'b' }] }), { manager: 'one' });
    expect(object.spec).toEqual({
      size: 1,
      policy: 'Keep',
      ports: [{ name: 'b', protocol: 'TCP' }],
      tags: ['y', 'z'],
      data: { b: '2' },
    });
    expect(object.metadata.labels).toBeUndefined();
  });

  test('of what another has set otherwise is a conflict, which force wins', () => {
    const made = update(undefined, widget({ size: 1 }), {
      manager: 'kubectl-create',
      at: new Date(0),
    });
    const config = widget({ size: 2 });
    const error = failure(() => apply(made, config, { manager: 'one' }));
    expect(error.code).toBe(409);
    expect(error.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-create" using example.org/v1 at 1970-01-01T00:00:00Z: .spec.size',
    );
    expect(error.details?.causes).toEqual([
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-create" using example.org/v1 at 1970-01-01T00:00:00Z',
        field: '.spec.size',
      },
    ]);
    const forced = apply(made, config, { manager: 'one', force: true });
    expect(forced.spec).toMatchObject({ size: 2 });
    expect(JSON.stringify(fieldsOf(forced, 'kubectl-create'))).not.toContain('f:size');
  });

  test('of the same values is shared ownership, without conflict', () => {
    const made = apply(undefined, widget({ size: 1, tags: ['x'] }), { manager: 'one' });
    const shared = apply(made, widget({ size: 1 }), { manager: 'two' });
    const error = failure(() =>
      apply(shared, widget({ size: 3, tags: ['x'] }), { manager: 'one' }),
    );
    expect(error.details?.causes).toMatchObject([{ field: '.spec.size' }]);
    const several = failure(() => apply(shared, widget({ size: 3 }), { manager: 'three' }));
    expect(several.message).toContain('Apply failed with 2 conflicts: conflicts with "one" using');
  });

  test('of an object that nobody is known to have made asks before it takes over', () => {
    const { managedFields: _, ...metadata } = checked(widget({ size: 1 })).metadata;
    const bare = { ...checked(widget({ size: 1 })), metadata };
    const error = failure(() => apply(bare, widget({ size: 2 }), { manager: 'one' }));
    expect(error.message).toContain('"before-first-apply"');
  });

  test('that cannot be told apart is refused', () => {
    const twice = widget({ size: 1, ports: [{ name: 'a' }, { name: 'a' }] });
    expect(failure(() => apply(undefined, twice, { manager: 'one' })).code).toBe(400);
    const keyless = widget({ size: 1, ports: [{ number: 1 }] });
    expect(failure(() => apply(undefined, keyless, { manager: 'one' })).code).toBe(400);
    const owned = widget({ size: 1 }, { managedFields: [] });
    expect(failure(() => apply(undefined, owned, { manager: 'one' })).code).toBe(400);
    for (const config of [null, 'x', [], { metadata: 1 }]) {
      expect(failure(() => apply(undefined, config, { manager: 'one' })).code).toBe(400);
    }
  });

  test('of values of wrong types is refused before anything is made of them', () => {
    for (const spec of ['x', [], { size: 'x' }, { size: 1, ports: {} }, { size: 1, tags: [{}] }]) {
      const config = { ...widget({}), spec };
      expect(failure(() => apply(undefined, config, { manager: 'one' })).code).toBe(422);
    }
    const { kind: _, ...kindless } = widget({ size: 1 });
    expect(failure(() => apply(undefined, kindless, { manager: 'one' })).code).toBe(400);
  });

  test('by ever more managers ends', () => {
    let object = apply(undefined, widget({ size: 1 }), { manager: 'first' });
    const error = failure(() => {
      for (let index = 0; index < 100; index += 1) {
        object = apply(object, widget({ size: 1 }), { manager: `m${index}` });
      }
    });
    expect(error.code).toBe(403);
  });

  const letters = fc.stringMatching(/^[a-d]$/);
  const spec = fc.record(
    {
      size: fc.nat(3),
      ports: fc.uniqueArray(
        fc
          .record({ name: letters, number: fc.nat(2) }, { requiredKeys: ['name'] })
          .map((port) => ({ ...port })),
        { selector: ({ name }) => name },
      ),
      tags: fc.uniqueArray(letters),
      steps: fc.array(letters, { maxLength: 3 }),
      data: fc.dictionary(letters, letters).map((data) => ({ ...data })),
      whole: fc.record({ a: letters }),
    },
    { requiredKeys: ['size'] },
  );

  test('twice is once, and after it the object is as its only manager says', () => {
    fc.assert(
      fc.property(spec, spec, spec, (first, second, other) => {
        const start = apply(undefined, widget(first), { manager: 'one' });
        const once = apply(start, widget(second), { manager: 'one' });
        expect(sameObject(once, apply(once, widget(second), { manager: 'one' }))).toBe(true);
        const alone = apply(undefined, widget(second), { manager: 'one' });
        expect(once.spec).toEqual(alone.spec);
        const forced = apply(once, widget(other), { manager: 'two', force: true });
        const again = apply(forced, widget(other), { manager: 'two' });
        expect(sameObject(forced, again)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

test('a manager is the one of the query, or the first part of the user agent', () => {
  expect(managerName('mine', 'kubectl/1.35')).toBe('mine');
  expect(managerName(undefined, 'kubectl/v1.35.0 (linux/amd64)')).toBe('kubectl');
  expect(managerName('', undefined)).toBe('unknown');
  expect(() => managerName('a'.repeat(129), undefined)).toThrow(KubeError);
  expect(() => managerName('a\nb', undefined)).toThrow(KubeError);
});
