import { describe, expect, test } from 'vitest';
import { openApiDocuments } from '../openapi/openapi.ts';
import { toyResources } from '../testing/toy-resources.ts';
import { discoveryDocuments } from './discovery.ts';

const documents = discoveryDocuments(toyResources);
const openapi = openApiDocuments(toyResources);
const aggregated = (version: string) =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

const read = (path: string, accept?: string): unknown => {
  const document = documents(path, accept) ?? openapi(path, accept);
  return document === undefined ? undefined : JSON.parse(document.body);
};

describe('discovery', () => {
  test('tells the groups and versions', () => {
    expect(read('/api')).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const group = {
      name: 'example.org',
      versions: [{ groupVersion: 'example.org/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'example.org/v1', version: 'v1' },
    };
    expect(read('/apis')).toEqual({ kind: 'APIGroupList', apiVersion: 'v1', groups: [group] });
    expect(read('/apis/example.org')).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...group });
    expect(read('/apis/example.org/')).toEqual(read('/apis/example.org'));
  });

  test('tells kinds with what can be done, and what is below them', () => {
    expect(read('/apis/example.org/v1')).toMatchObject({
      kind: 'APIResourceList',
      groupVersion: 'example.org/v1',
      resources: [
        { name: 'widgets', kind: 'Widget', namespaced: true, shortNames: ['wd'] },
        { name: 'widgets/scale', group: 'autoscaling', version: 'v1', kind: 'Scale' },
        { name: 'widgets/status', kind: 'Widget', verbs: ['get', 'update', 'patch'] },
      ],
    });
    const { resources } = read('/api/v1') as { resources: { name: string }[] };
    const names = resources.map(({ name }) => name);
    expect(names).toContain('pods/exec');
    expect(names).toContain('pods/portforward');
  });

  test.each(['v2', 'v2beta1'])('tells all in one document: %s', (version) => {
    const accept = `${aggregated(version)},application/json`;
    expect(documents('/apis', accept)?.contentType).toBe(aggregated(version));
    expect(read('/apis', accept)).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      items: [
        {
          metadata: { name: 'example.org' },
          versions: [
            {
              version: 'v1',
              freshness: 'Current',
              resources: [
                {
                  resource: 'widgets',
                  responseKind: { group: 'example.org', version: 'v1', kind: 'Widget' },
                  scope: 'Namespaced',
                  singularResource: 'widget',
                  categories: ['all'],
                  subresources: [{ subresource: 'scale' }, { subresource: 'status' }],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(read('/api', accept)).toMatchObject({ items: [{ metadata: { name: '' } }] });
  });

  test.each([
    'application/json',
    `application/json,${aggregated('v2')}`,
    aggregated('v9'),
    'application/vnd.kubernetes.protobuf',
    '*/*',
    undefined,
    ';;,,='.repeat(10_000),
  ])('is plain for who accepts %s', (accept) => {
    expect(documents('/apis', accept)?.contentType).toBe('application/json');
  });

  test('knows no other paths', () => {
    for (const path of ['/', '/apis/none', '/apis/example.org/v9', '/api/v2', '/apis//v1']) {
      expect(read(path)).toBeUndefined();
    }
  });
});

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
  readonly definitions: Readonly<Record<string, unknown>>;
}

/** All references of a document. */
function references(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === '$ref' ? [String(child)] : references(child),
  );
}

describe('OpenAPI', () => {
  test('lists its documents by what is in them', () => {
    const { paths } = read('/openapi/v3') as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    expect(Object.keys(paths)).toEqual(['api/v1', 'apis/example.org/v1']);
    const url = paths['apis/example.org/v1']?.serverRelativeURL ?? '';
    const etag = openapi('/openapi/v3/apis/example.org/v1', undefined)?.etag;
    expect(url).toBe(`/openapi/v3/apis/example.org/v1?hash=${etag?.slice(1, -1)}`);
  });

  test.each(['/openapi/v3/apis/example.org/v1', '/openapi/v3/api/v1'])(
    '%s has schemas for what it refers to',
    (path) => {
      const document = read(path) as OpenApi;
      const names = new Set(
        Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
      );
      expect(references(document).filter((reference) => !names.has(reference))).toEqual([]);
    },
  );

  test('says what kubectl looks for: kinds, and that fields are validated here', () => {
    const { paths, components } = read('/openapi/v3/apis/example.org/v1') as OpenApi;
    const widget = '/apis/example.org/v1/namespaces/{namespace}/widgets/{name}';
    expect(paths[widget]?.['patch']).toMatchObject({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'example.org', version: 'v1', kind: 'Widget' },
      parameters: [
        { name: 'dryRun' },
        { name: 'fieldManager' },
        { name: 'fieldValidation', in: 'query' },
        { name: 'force' },
      ],
    });
    expect(components.schemas['org.example.v1.Widget']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: 'example.org', version: 'v1', kind: 'Widget' }],
      properties: { spec: { description: 'What the widget should be.' } },
    });
  });

  test('has version 2 too, with what it can say', () => {
    const document = read('/openapi/v2') as OpenApi;
    const names = new Set(Object.keys(document.definitions).map((name) => `#/definitions/${name}`));
    expect(references(document).filter((reference) => !names.has(reference))).toEqual([]);
    const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    expect(() => openapi('/openapi/v2', protobuf)).toThrow('application/json only');
    expect(openapi('/openapi/v2', `${protobuf}, */*`)?.contentType).toBe('application/json');
    const text = JSON.stringify(document.definitions);
    expect(text).not.toContain('"anyOf":[');
    expect(text).not.toContain('"nullable":true');
  });
});
