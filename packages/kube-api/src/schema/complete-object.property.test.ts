import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyConfig } from '../managed-fields/apply-config.ts';
import { trackUpdate } from '../managed-fields/track-update.ts';
import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import { sameObject } from '../store/same-object.ts';
import { toTable } from '../table/to-table.ts';
import { exampleResource as resource } from '../testing/example-resource.ts';
import { completeObject } from './complete-object.ts';
import { fillDefaults } from './fill-defaults.ts';
import { pruneUnknown } from './prune-unknown.ts';
import { versionSchema } from './version-schema.ts';

const schema = versionSchema(resource, 'v1');
const anything = fc.jsonValue({ maxDepth: 3 });
const field = fc.constantFrom('constructor', '__proto__', 'name', 'x', 'toString');

/** Right, nearly right, and anything at all. */
const spec = fc.record(
  {
    size: fc.oneof(fc.nat(), anything),
    policy: fc.oneof(fc.constantFrom('Keep', 'Drop'), anything),
    at: fc.oneof(fc.constant('2026-01-01T00:00:00Z'), anything),
    limits: fc.oneof(fc.dictionary(field, fc.oneof(fc.nat(), fc.constant('1m'))), anything),
    ports: fc.oneof(fc.array(fc.record({ name: fc.string() })), fc.array(anything), anything),
    tags: fc.oneof(fc.uniqueArray(fc.string()), anything),
    whole: fc.oneof(fc.record({ a: fc.string() }), anything),
    data: fc.oneof(fc.dictionary(field, fc.string()), anything),
    any: anything,
    other: anything,
  },
  { requiredKeys: [] },
);
const metadata = fc.record(
  {
    name: fc.oneof(fc.constant('w'), anything),
    labels: fc.oneof(fc.dictionary(field, fc.string()), anything),
    finalizers: fc.oneof(fc.array(field), anything),
    ownerReferences: anything,
    managedFields: fc.oneof(
      fc.array(
        fc.record({
          manager: fc.oneof(fc.string(), anything),
          operation: fc.oneof(fc.constantFrom('Apply', 'Update'), anything),
          apiVersion: fc.oneof(fc.constant('example.org/v1'), anything),
          fieldsV1: fc.oneof(
            fc.dictionary(
              fc.oneof(fc.constantFrom('f:spec', '.', 'k:{"a":1}', 'v:', 'i:0'), fc.string()),
              fc.oneof(fc.constant({}), anything),
            ),
            anything,
          ),
        }),
      ),
      anything,
    ),
    extra: anything,
  },
  { requiredKeys: [] },
);
const object = fc.oneof(
  anything,
  fc.record({ metadata: fc.oneof(metadata, anything), spec: fc.oneof(spec, anything) }),
  fc.record({
    apiVersion: fc.constant('example.org/v1'),
    kind: fc.constant('Widget'),
    metadata: fc.constant({ name: 'w' }),
    spec: fc.oneof(spec, anything),
  }),
);

/** The value; undefined when it was refused as a client's mistake. */
function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof KubeError && error.code < 500) return undefined;
    throw error;
  }
}

const complete = (sent: unknown) =>
  attempt(() => completeObject(resource, 'v1', sent, { namespace: 'default' }));

describe('whatever a client sends', () => {
  test('is refused, or becomes an object that stays as it is', () => {
    fc.assert(
      fc.property(object, (sent) => {
        const completed = complete(sent);
        if (completed === undefined) return;
        const again = completeObject(resource, 'v1', completed.object, {
          namespace: 'default',
          fieldValidation: 'Strict',
        });
        expect(again).toEqual({ object: completed.object, warnings: [] });
        expect(toTable(resource, 'v1', [completed.object])).toHaveProperty('rows');
      }),
      { numRuns: 200 },
    );
  });

  test('pruned twice is pruned once, and so are defaults', () => {
    fc.assert(
      fc.property(object, (sent) => {
        const pruned = pruneUnknown(schema, sent, '', () => undefined);
        expect(pruneUnknown(schema, pruned, '', () => undefined)).toBe(pruned);
        const filled = fillDefaults(schema, sent);
        expect(fillDefaults(schema, filled)).toEqual(filled);
      }),
      { numRuns: 100 },
    );
  });

  test('can be applied or not, and then once is enough', () => {
    const apply = (before: KubeObject | undefined, config: unknown) =>
      attempt(() =>
        completeObject(
          resource,
          'v1',
          applyConfig({ resource, versionName: 'v1', before, config, manager: 'm', force: true }),
          { namespace: 'default', before },
        ),
      )?.object;
    fc.assert(
      fc.property(object, object, (first, second) => {
        const made = apply(undefined, first);
        const once = apply(made, second);
        if (once === undefined) return;
        const twice = apply(once, second);
        expect(twice === undefined ? false : sameObject(once, twice)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('is tracked, whatever it says of its fields', () => {
    fc.assert(
      fc.property(object, object, (first, second) => {
        const before = complete(first)?.object;
        const after = complete(second)?.object;
        if (after === undefined) return;
        const change = { resource, versionName: 'v1', before, after, manager: 'm' };
        const tracked = trackUpdate(change);
        expect(complete(tracked)?.object).toEqual(tracked);
        expect(
          sameObject(trackUpdate({ ...change, before: tracked, after: tracked }), tracked),
        ).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
