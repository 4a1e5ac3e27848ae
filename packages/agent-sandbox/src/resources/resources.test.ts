import {
  completeObject,
  convertObject,
  groupVersion,
  missingRules,
  openApiDocuments,
  type Resource,
  toTable,
} from '@sandport/kube-api';
import { describe, expect, test } from 'vitest';
import { agentSandboxResources } from './resources.ts';

const resources = agentSandboxResources({
  release: '0.0.0',
  gatewayAddress: () => '127.0.0.1',
  namespaces: () => ['default'],
});
const named = resources.map((resource): [string, Resource] => [resource.kind, resource]);

const kind = (name: string): Resource => {
  const resource = resources.find((each) => each.kind === name);
  if (resource === undefined) throw new Error(`There is no ${name}.`);
  return resource;
};

describe.each(named)('%s', (_, resource) => {
  test('has schemas that can be checked, with code for every rule', () => {
    expect(missingRules(resource)).toEqual([]);
  });

  test.each(resource.versions.map(({ name }) => name))(
    '%s has columns that can be read',
    (name) => {
      const apiVersion = groupVersion(resource.group, name);
      const object = { apiVersion, kind: resource.kind, metadata: { name: 'a' } };
      const { rows } = toTable(resource, name, [object], { includeObject: 'None' });
      expect(rows).toHaveLength(1);
    },
  );

  test('is described', () => {
    const documents = openApiDocuments([resource]);
    const [version] = resource.versions;
    const root = resource.group === '' ? 'api' : `apis/${resource.group}`;
    const document = documents(`/openapi/v3/${root}/${version?.name ?? ''}`, undefined);
    const { components } = JSON.parse(document?.body ?? '{}') as {
      components: { schemas: Record<string, { description?: string }> };
    };
    const schema = Object.entries(components.schemas).find(([name]) =>
      name.endsWith(`.${resource.kind}`),
    );
    expect(schema?.[1].description).toMatch(/\.$/);
  });
});

describe('a volume of a Sandbox', () => {
  const sandbox = kind('Sandbox');
  const object = (volumes: readonly string[] | undefined) => ({
    apiVersion: 'agents.x-k8s.io/v1beta1',
    kind: 'Sandbox',
    metadata: { name: 'a', namespace: 'default' },
    spec: {
      podTemplate: { spec: { containers: [{ name: 'c', image: 'base' }] } },
      ...(volumes === undefined
        ? {}
        : {
            volumeClaimTemplates: volumes.map((name) => ({
              metadata: { name },
              spec: { accessModes: ['ReadWriteOnce'] },
            })),
          }),
    },
  });
  const complete = (sent: object, before?: object) =>
    completeObject(sandbox, 'v1beta1', sent, {
      ...(before === undefined
        ? {}
        : { before: completeObject(sandbox, 'v1beta1', before, {}).object }),
    }).object;

  test('cannot be changed, nor come or go', () => {
    for (const [before, after] of [
      [['a'], ['b']],
      [['a'], undefined],
      [undefined, ['a']],
    ]) {
      expect(() => complete(object(after), object(before))).toThrow(
        'spec: Invalid value: "object": volumeClaimTemplates is immutable',
      );
    }
    expect(complete(object(['a']), object(['a'])).spec).toHaveProperty('volumeClaimTemplates');
  });
});

test('a claim of the old client is one of the new version, and comes back as it was', () => {
  const claims = kind('SandboxClaim');
  const sent = {
    apiVersion: 'extensions.agents.x-k8s.io/v1alpha1',
    kind: 'SandboxClaim',
    metadata: { name: 'c', annotations: {} },
    spec: { sandboxTemplateRef: { name: 't' } },
  };
  const { object, warnings } = completeObject(claims, 'v1alpha1', sent, {
    namespace: 'default',
    fieldValidation: 'Strict',
  });
  expect(warnings).toEqual([]);
  const stored = convertObject(claims, object, 'v1beta1');
  const checked = completeObject(claims, 'v1beta1', stored, { fieldValidation: 'Strict' });
  expect(convertObject(claims, checked.object, 'v1alpha1').spec).toMatchObject(sent.spec);
});
