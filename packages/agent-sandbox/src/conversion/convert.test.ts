import type { KubeObject } from '@sandport/kube-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { converter } from './convert.ts';
import { claimMaps, sandboxMaps, templateMaps, warmPoolMaps } from './kinds.ts';
import type { FieldMaps, Fields } from './field-map.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const reference = fc.record({ name });
const optional = { requiredKeys: [] as never[] };
const shared = {
  lifecycle: fc.record({ shutdownPolicy: fc.constantFrom('Delete', 'Retain') }),
  env: fc.array(fc.record({ name, value: fc.string() })),
};
const conditions = fc.array(fc.record({ type: name, status: fc.constantFrom('True', 'False') }));

const kinds: Record<
  string,
  {
    maps: FieldMaps;
    v1alpha1: fc.Arbitrary<Fields>;
    v1beta1: fc.Arbitrary<Fields>;
    statusAlpha: fc.Arbitrary<Fields>;
    statusBeta: fc.Arbitrary<Fields>;
  }
> = {
  claim: {
    maps: claimMaps,
    v1alpha1: fc.record(
      {
        ...shared,
        sandboxTemplateRef: reference,
        warmpool: fc.oneof(fc.constantFrom('none', 'default'), name),
      },
      { requiredKeys: ['sandboxTemplateRef'] },
    ),
    v1beta1: fc.record(
      {
        ...shared,
        warmPoolRef: fc.oneof(reference, fc.record({ name: name.map((n) => `shadow-pool-${n}`) })),
        volumeClaimTemplates: fc.array(fc.record({ spec: fc.dictionary(name, fc.string()) })),
      },
      { requiredKeys: ['warmPoolRef'] },
    ),
    statusAlpha: fc.record({ conditions, sandbox: reference }, optional),
    statusBeta: fc.record({ conditions, sandbox: reference }, optional),
  },
  sandbox: {
    maps: sandboxMaps,
    v1alpha1: fc.record({ replicas: fc.constantFrom(0, 1), service: fc.boolean() }, optional),
    v1beta1: fc.record(
      { operatingMode: fc.constantFrom('Running', 'Suspended'), service: fc.boolean() },
      optional,
    ),
    statusAlpha: fc.record({ replicas: fc.constantFrom(0, 1), conditions }, optional),
    statusBeta: fc.record({ nodeName: name, conditions }, optional),
  },
  template: {
    maps: templateMaps,
    v1alpha1: fc.record({ service: fc.boolean() }, optional),
    v1beta1: fc.record({ volumeClaimTemplatesPolicy: name, service: fc.boolean() }, optional),
    statusAlpha: fc.constant({}),
    statusBeta: fc.constant({}),
  },
  warmPool: {
    maps: warmPoolMaps,
    v1alpha1: fc.record({ replicas: fc.nat(), sandboxTemplateRef: reference }),
    v1beta1: fc.record({ replicas: fc.nat(), sandboxTemplateRef: reference }, optional),
    statusAlpha: fc.record({ readyReplicas: fc.nat() }, optional),
    statusBeta: fc.record({ readyReplicas: fc.nat(), observedGeneration: fc.nat() }, optional),
  },
};

const objectOf = (version: string, spec: Fields, status: Fields | undefined): KubeObject => ({
  apiVersion: `agents.x-k8s.io/${version}`,
  kind: 'Thing',
  metadata: { name: 'x', annotations: { mine: 'stays' } },
  spec,
  ...(status === undefined ? {} : { status }),
});

test.each(Object.entries(kinds))('a %s comes back as it was', (_, kind) => {
  const convert = converter(kind.maps);
  const status = (of: fc.Arbitrary<Fields>) => fc.option(of, { nil: undefined });
  fc.assert(
    fc.property(kind.v1alpha1, status(kind.statusAlpha), (spec, its) => {
      const object = objectOf('v1alpha1', spec, its);
      const there = convert(object, 'v1beta1');
      expect(there.apiVersion).toBe('agents.x-k8s.io/v1beta1');
      expect(convert(there, 'v1alpha1')).toEqual(object);
    }),
  );
  fc.assert(
    fc.property(kind.v1beta1, status(kind.statusBeta), (spec, its) => {
      const object = objectOf('v1beta1', spec, its);
      expect(convert(convert(object, 'v1alpha1'), 'v1beta1')).toEqual(object);
    }),
  );
});

test('a claim of a template becomes one of its shadow pool', () => {
  const convert = converter(claimMaps);
  const claim = objectOf(
    'v1alpha1',
    { sandboxTemplateRef: { name: 't' }, warmpool: 'default' },
    undefined,
  );
  expect(convert(claim, 'v1beta1')).toEqual({
    ...claim,
    apiVersion: 'agents.x-k8s.io/v1beta1',
    spec: { warmPoolRef: { name: 'shadow-pool-t' } },
  });
});

test('what was changed in the other version is not undone', () => {
  const convert = converter(claimMaps);
  const claim = objectOf(
    'v1alpha1',
    { sandboxTemplateRef: { name: 't' }, warmpool: 'p' },
    undefined,
  );
  const there = convert(claim, 'v1beta1');
  const changed = { ...there, spec: { warmPoolRef: { name: 'q' } } };
  expect(convert(changed, 'v1alpha1').spec).toEqual({
    sandboxTemplateRef: { name: 'q' },
    warmpool: 'q',
  });
  const sandbox = objectOf('v1beta1', { operatingMode: 'Running' }, { nodeName: 'n' });
  const old = converter(sandboxMaps)(sandbox, 'v1alpha1');
  expect(old).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1 } });
});

test.each(['', '{', '[]', '{"fields":1,"when":{}}', '{"fields":{"spec":[]},"when":{"spec":3}}'])(
  'an annotation %j that somebody wrote does no harm',
  (text) => {
    const claim = objectOf('v1beta1', { warmPoolRef: { name: 'p' } }, undefined);
    const metadata = { name: 'x', annotations: { 'sandport.dev/v1alpha1-fields': text } };
    expect(converter(claimMaps)({ ...claim, metadata }, 'v1alpha1').spec).toEqual({
      sandboxTemplateRef: { name: 'p' },
      warmpool: 'p',
    });
  },
);
