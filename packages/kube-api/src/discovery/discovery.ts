import type { Resource } from '../objects/resource.ts';
import {
  acceptedDiscovery,
  type DiscoveryVersion,
  groupDiscoveryList,
} from './aggregated-discovery.ts';
import { apiGroups } from './api-groups.ts';
import { type DocumentAnswer, type Documents, jsonDocument, once } from './document.ts';
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './plain-discovery.ts';

export type { DocumentAnswer, Documents } from './document.ts';

/**
 * What is served: `/api`, `/apis`, `/api/v1`, `/apis/GROUP` and `/apis/GROUP/VERSION`; the first two
 * also aggregated.
 */
export function discoveryDocuments(resources: readonly Resource[]): Documents {
  const groups = apiGroups(resources);
  const core = groups.filter(({ name }) => name === '');
  const named = groups.filter(({ name }) => name !== '');
  const plain = new Map<string, () => DocumentAnswer>([
    ['/api', once(() => jsonDocument(apiVersions(groups)))],
    ['/apis', once(() => jsonDocument(apiGroupList(groups)))],
  ]);
  for (const group of groups) {
    const root = group.name === '' ? '/api' : `/apis/${group.name}`;
    if (group.name !== '')
      plain.set(
        root,
        once(() => jsonDocument(apiGroup(group))),
      );
    for (const version of group.versions) {
      const path = `${root}/${version.version}`;
      plain.set(
        path,
        once(() => jsonDocument(apiResourceList(version))),
      );
    }
  }
  const list = (of: typeof groups, version: DiscoveryVersion) =>
    once(() => {
      const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      return jsonDocument(groupDiscoveryList(of, version), contentType);
    });
  const aggregated = new Map([
    ['/api v2', list(core, 'v2')],
    ['/api v2beta1', list(core, 'v2beta1')],
    ['/apis v2', list(named, 'v2')],
    ['/apis v2beta1', list(named, 'v2beta1')],
  ]);
  return (path, accept) => {
    const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    const version = acceptedDiscovery(accept);
    return (aggregated.get(`${bare} ${version ?? ''}`) ?? plain.get(bare))?.();
  };
}
