import { expect, test } from 'vitest';
import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import { allVerbs, type Resource } from '../objects/resource.ts';
import { completeObject } from '../schema/complete-object.ts';
import { convertObject } from '../schema/convert-object.ts';
import { applyConfig } from './apply-config.ts';
import { trackUpdate } from './track-update.ts';

const version = (name: string, field: string) => ({
  name,
  schema: {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          [field]: { type: 'integer' },
          tags: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
    },
  },
  columns: [],
  hasStatus: false,
});

const rename = (object: KubeObject, from: string, to: string): KubeObject => {
  const { [from]: value, ...spec } = object.spec ?? {};
  return { ...object, spec: value === undefined ? spec : { ...spec, [to]: value } };
};

/** `size` of v2 was called `amount` in v1. */
const resource: Resource = {
  group: 'example.org',
  kind: 'Gadget',
  plural: 'gadgets',
  singular: 'gadget',
  shortNames: [],
  namespaced: true,
  versions: [version('v2', 'size'), version('v1', 'amount')],
  storageVersion: 'v2',
  persistent: true,
  verbs: allVerbs,
  convert: (object, to) =>
    to === 'v1' ? rename(object, 'size', 'amount') : rename(object, 'amount', 'size'),
};

const gadget = (versionName: string, spec: object) => ({
  apiVersion: `example.org/${versionName}`,
  kind: 'Gadget',
  metadata: { name: 'g' },
  spec,
});

/** The result as it would be stored. */
const apply = (
  before: KubeObject | undefined,
  versionName: string,
  spec: object,
  manager: string,
  force = false,
): KubeObject => {
  const config = gadget(versionName, spec);
  const after = applyConfig({ resource, versionName, before, config, manager, force });
  const { object } = completeObject(resource, versionName, after, { namespace: 'a' });
  return convertObject(resource, object, 'v2');
};

test('an applier keeps what it has in another version', () => {
  const made = apply(undefined, 'v1', { amount: 1, tags: { a: '1' } }, 'one');
  expect(made.spec).toEqual({ size: 1, tags: { a: '1' } });
  const moved = apply(made, 'v2', { size: 1 }, 'one');
  expect(moved.spec).toEqual({ size: 1 });
  expect(moved.metadata.managedFields).toMatchObject([
    { manager: 'one', apiVersion: 'example.org/v2', fieldsV1: { 'f:spec': { 'f:size': {} } } },
  ]);
  expect(apply(moved, 'v1', { tags: { b: '2' } }, 'one').spec).toEqual({ tags: { b: '2' } });
});

test('what others have in another version is not taken away, and conflicts are seen', () => {
  const made = apply(undefined, 'v1', { amount: 1, tags: { a: '1' } }, 'one');
  const shared = apply(made, 'v2', { size: 1 }, 'two');
  const left = apply(shared, 'v1', { tags: { a: '1' } }, 'one');
  expect(left.spec).toEqual({ size: 1, tags: { a: '1' } });
  expect(apply(left, 'v2', {}, 'two').spec).toEqual({ tags: { a: '1' } });
  const take = (force: boolean) => apply(made, 'v2', { size: 2 }, 'two', force);
  expect(() => take(false)).toThrow(KubeError);
  expect(() => take(false)).toThrow('conflict with "one" using example.org/v1: .spec.amount');
  const taken = take(true);
  expect(taken.spec).toEqual({ size: 2, tags: { a: '1' } });
  expect(taken.metadata.managedFields).toMatchObject([
    { manager: 'one', fieldsV1: { 'f:spec': { 'f:tags': { 'f:a': {} } } } },
    { manager: 'two', fieldsV1: { 'f:spec': { 'f:size': {} } } },
  ]);
});

test('updates take from those who applied in another version', () => {
  const made = apply(undefined, 'v1', { amount: 1 }, 'one');
  const after = { ...made, spec: { size: 5 } };
  const updated = trackUpdate({ resource, versionName: 'v2', before: made, after, manager: 'u' });
  expect(updated.metadata.managedFields).toMatchObject([{ manager: 'u' }]);
});

test('managers of a version that is no longer served are forgotten', () => {
  const made = apply(undefined, 'v2', { size: 1 }, 'one');
  const [entry] = made.metadata.managedFields ?? [];
  const managedFields = entry === undefined ? [] : [{ ...entry, apiVersion: 'example.org/v0' }];
  const old = { ...made, metadata: { ...made.metadata, managedFields } };
  const { metadata } = apply(old, 'v2', { size: 2 }, 'two');
  expect(metadata.managedFields).toMatchObject([{ manager: 'two' }]);
});
