import type { ApiGroup, ServedKind, ServedVersion } from './api-groups.ts';
import { subresourcesOf } from './subresources.ts';

type Body = Readonly<Record<string, unknown>>;

/** Versions of aggregated discovery: kubectl asks for the newest that it knows. */
export type DiscoveryVersion = 'v2' | 'v2beta1';

/** Everything that is served of these groups, in one document. */
export const groupDiscoveryList = (
  groups: readonly ApiGroup[],
  version: DiscoveryVersion,
): Body => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: groups.map(({ name, versions }) => ({
    metadata: { name, creationTimestamp: null },
    versions: versions.map((served) => ({
      version: served.version,
      resources: served.kinds.map((kind) => resourceFields(served, kind)),
      freshness: 'Current',
    })),
  })),
});

function resourceFields({ group, version }: ServedVersion, served: ServedKind): Body {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = served.resource;
  const subresources = subresourcesOf(served).map(({ name, verbs: allowed, ...other }) => ({
    subresource: name,
    responseKind: {
      group: other.group ?? group,
      version: other.version ?? version,
      kind: other.kind,
    },
    verbs: allowed,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

/**
 * The version of aggregated discovery that an `Accept` header asks for; undefined: it wants, or
 * would rather have, the plain documents.
 */
export function acceptedDiscovery(accept: string | undefined): DiscoveryVersion | undefined {
  for (const range of (accept ?? '').split(',', maxRanges)) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== 'application/json') continue;
    if (!parameters.includes('as=apigroupdiscoverylist')) {
      if (parameters.every((parameter) => parameter.startsWith('q='))) return undefined;
      continue;
    }
    if (!parameters.includes('g=apidiscovery.k8s.io')) continue;
    if (parameters.includes('v=v2')) return 'v2';
    if (parameters.includes('v=v2beta1')) return 'v2beta1';
  }
  return undefined;
}

const maxRanges = 32;
