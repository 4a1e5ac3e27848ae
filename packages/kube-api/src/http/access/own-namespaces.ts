import type { KubeObject } from '../../objects/kube-object.ts';
import { type Resource, resourceKey } from '../../objects/resource.ts';
import type { Caller } from '../caller.ts';

/**
 * The namespaces of a caller who has some: they are there for him, whether or not there is
 * anything in them. Empty for other resources than namespaces.
 */
export function ownNamespaces(resource: Resource, { namespaces }: Caller): readonly KubeObject[] {
  if (namespaces === undefined || resourceKey(resource) !== 'namespaces') return [];
  return [...namespaces].sort().map((name) => ({
    apiVersion: 'v1',
    kind: resource.kind,
    metadata: {
      name,
      uid: `namespace.${name}`,
      resourceVersion: '1',
      creationTimestamp: '1970-01-01T00:00:00Z',
      labels: { 'kubernetes.io/metadata.name': name },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }));
}
