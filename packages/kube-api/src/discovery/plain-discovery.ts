import type { ApiGroup, ServedKind, ServedVersion } from './api-groups.ts';
import { subresourcesOf } from './subresources.ts';

type Body = Readonly<Record<string, unknown>>;

const anyAddress = [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }];

/** `/api`: the versions of the core group. */
export const apiVersions = (groups: readonly ApiGroup[]): Body => ({
  kind: 'APIVersions',
  versions: groups
    .filter(({ name }) => name === '')
    .flatMap(({ versions }) => versions.map(({ version }) => version)),
  serverAddressByClientCIDRs: anyAddress,
});

/** `/apis`: the groups with names. */
export const apiGroupList = (groups: readonly ApiGroup[]): Body => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.filter(({ name }) => name !== '').map(groupFields),
});

/** `/apis/GROUP`. */
export const apiGroup = (group: ApiGroup): Body => ({
  kind: 'APIGroup',
  apiVersion: 'v1',
  ...groupFields(group),
});

function groupFields({ name, versions }: ApiGroup): Body {
  const served = versions.map(({ groupVersion, version }) => ({ groupVersion, version }));
  return { name, versions: served, preferredVersion: served[0] };
}

/** `/apis/GROUP/VERSION`. */
export const apiResourceList = ({ groupVersion, kinds }: ServedVersion): Body => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: kinds.flatMap(resourceFields),
});

function resourceFields(served: ServedKind): readonly Body[] {
  const { resource } = served;
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories === undefined ? {} : { categories }),
    },
    ...subresourcesOf(served).map(({ name, ...subresource }) => ({
      name: `${plural}/${name}`,
      singularName: '',
      namespaced,
      ...subresource,
    })),
  ];
}
