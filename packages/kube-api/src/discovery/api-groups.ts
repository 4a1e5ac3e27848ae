import { groupVersion, type Resource, type ResourceVersion } from '../objects/resource.ts';

/** What is served of one version of a group. */
export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  /** As `agents.x-k8s.io/v1beta1`. */
  readonly groupVersion: string;
  readonly kinds: readonly ServedKind[];
}

export interface ServedKind {
  readonly resource: Resource;
  readonly version: ResourceVersion;
}

export interface ApiGroup {
  readonly name: string;
  /** The first is the preferred one. */
  readonly versions: readonly ServedVersion[];
}

/** The groups of the resources, the core group (if any) first, the others by their names. */
export function apiGroups(resources: readonly Resource[]): readonly ApiGroup[] {
  const names = [...new Set(resources.map(({ group }) => group))].sort();
  return names.map((name) => {
    const members = resources.filter(({ group }) => group === name);
    const versions = new Set(members.flatMap((resource) => resource.versions.map((v) => v.name)));
    return {
      name,
      versions: [...versions].map((version) => ({
        group: name,
        version,
        groupVersion: groupVersion(name, version),
        kinds: members.flatMap((resource) =>
          resource.versions
            .filter((served) => served.name === version)
            .map((served) => ({ resource, version: served })),
        ),
      })),
    };
  });
}
