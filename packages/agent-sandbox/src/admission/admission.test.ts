import { KubeError, type KubeObject } from '@sandport/kube-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keys } from '../resources/keys.ts';
import { administrator, Controlled, tenant } from '../testing/controlled.ts';
import { admitNamespace } from './admit-namespace.ts';

let cluster: Controlled;
beforeEach(async () => {
  cluster = await Controlled.start();
});
afterEach(() => cluster[Symbol.asyncDispose]());

const causesOf = (work: () => unknown): string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof KubeError) return error.details?.causes?.map(({ field }) => field) ?? [];
    throw error;
  }
  return [];
};

test('names are those of sandboxes', () => {
  for (const name of ['a.b', 'A', '-a', `a${'b'.repeat(63)}`, '../x']) {
    expect(causesOf(() => cluster.claim(name))).toEqual(['metadata.name']);
    expect(causesOf(() => cluster.sandbox(name))).toEqual(['metadata.name']);
  }
});

test('what a sandbox was made after stays', () => {
  cluster.claim('one');
  for (const field of ['warmPoolRef', 'env', 'volumeClaimTemplates'])
    expect(causesOf(() => cluster.change(keys.claims, 'one', { [field]: { name: 'x' } }))).toEqual([
      `spec.${field}`,
    ]);
  cluster.sandbox('two');
  const volumeClaimTemplates = [{ metadata: { name: 'v' }, spec: {} }];
  expect(causesOf(() => cluster.change(keys.sandboxes, 'two', { volumeClaimTemplates }))).toEqual([
    'spec.volumeClaimTemplates',
  ]);
});

test('volumes have names and sizes that can be', () => {
  for (const [name, storage] of [
    ['', '64Mi'],
    ['v', '1Ki'],
    ['v'.repeat(62), '64Mi'],
  ])
    expect(
      causesOf(() =>
        cluster.sandbox('one', {
          volumeClaimTemplates: [
            { metadata: { name }, spec: { resources: { requests: { storage } } } },
          ],
        }),
      ),
    ).toEqual(['spec.volumeClaimTemplates']);
});

test('the mark of who may build is the administrators’', () => {
  const marked = ({ metadata }: KubeObject) => metadata.annotations?.['sandport.dev/may-build'];
  expect(marked(cluster.template('mine', {}, administrator))).toBe('true');
  expect(marked(cluster.template('yours', {}, tenant))).toBeUndefined();
  const admit = cluster.store.resources.find(({ plural }) => plural === 'sandboxtemplates')?.admit;
  const before = cluster.get(keys.templates, 'mine');
  const asTenant = (object: KubeObject) =>
    admit?.(object, { caller: tenant, before, operation: 'update' }).object ?? object;
  expect(marked(asTenant(before))).toBe('true');
  expect(marked(asTenant({ ...before, spec: { ...before.spec, service: true } }))).toBeUndefined();
  const annotations = {
    ...before.metadata.annotations,
    'sandport.dev/insecure-registry': 'true',
  };
  expect(
    marked(asTenant({ ...before, metadata: { ...before.metadata, annotations } })),
  ).toBeUndefined();
  const yours = cluster.get(keys.templates, 'yours');
  const written = {
    ...yours,
    metadata: { ...yours.metadata, annotations: { 'sandport.dev/may-build': 'true' } },
  };
  const admitted = admit?.(written, { caller: tenant, before: yours, operation: 'update' });
  expect(marked(admitted?.object ?? written)).toBeUndefined();
});

test('a pool cannot be larger than pools are', () => {
  expect(
    causesOf(() =>
      cluster.create(keys.warmPools, {
        apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
        kind: 'SandboxWarmPool',
        metadata: { name: 'p', namespace: 'default' },
        spec: { replicas: 2 ** 31, sandboxTemplateRef: { name: 'base' } },
      }),
    ),
  ).toEqual(['spec.replicas']);
});

test('a key makes and deletes its own namespaces, and nobody the fixed ones', () => {
  const namespace = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  });
  const admit = (name: string, operation: 'create' | 'delete', caller = tenant) =>
    admitNamespace(namespace(name), { caller, before: undefined, operation });
  expect(admit('default', 'create').object.status).toEqual({ phase: 'Active' });
  expect(() => admit('other', 'create')).toThrow(/bound to other namespaces/);
  expect(() => admit('other', 'delete')).toThrow(/bound to other namespaces/);
  expect(() => admit('default', 'delete', administrator)).toThrow(/may not be deleted/);
  expect(() => admit('a.b', 'create', administrator)).toThrow(/DNS label/);
});
