import type { KubeObject } from '../objects/kube-object.ts';
import { allVerbs, type Resource } from '../objects/resource.ts';
import { exampleResource } from './example-resource.ts';

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const core = (kind: string, options: Partial<Resource> = {}): Resource => ({
  group: '',
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  shortNames: [],
  namespaced: true,
  versions: [
    {
      name: 'v1',
      schema: { type: 'object', properties: { spec: open, status: open } },
      columns: [{ name: 'Phase', type: 'string', jsonPath: '.status.phase' }],
      hasStatus: true,
    },
  ],
  storageVersion: 'v1',
  persistent: false,
  verbs: allVerbs,
  ...options,
});

const everywhere =
  (kind: string, name: string) =>
  (namespace = 'shared'): readonly KubeObject[] => [
    {
      apiVersion: 'v1',
      kind,
      metadata: { name, namespace, uid: `${kind}-${namespace}`, resourceVersion: '1' },
      status: { phase: 'Running' },
    },
  ];

/** Pods, services and namespaces in a modest form, and widgets. */
export const toyResources: readonly Resource[] = [
  core('Pod', { shortNames: ['po'], synthetic: everywhere('Pod', 'router') }),
  core('Service', { shortNames: ['svc'], synthetic: everywhere('Service', 'router') }),
  core('Namespace', {
    namespaced: false,
    shortNames: ['ns'],
    persistent: true,
    synthetic: () => [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }],
  }),
  exampleResource,
];
