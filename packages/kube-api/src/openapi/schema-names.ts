/** Packages of the kinds that Kubernetes has itself, as its own documents name them. */
const ownPackages: ReadonlyMap<string, string> = new Map([
  ['', 'io.k8s.api.core'],
  ['discovery.k8s.io', 'io.k8s.api.discovery'],
  ['apps', 'io.k8s.api.apps'],
  ['events.k8s.io', 'io.k8s.api.events'],
]);

/** The name of a kind's schema, as `io.x-k8s.agents.v1beta1.Sandbox`. */
export const schemaName = (group: string, version: string, kind: string): string =>
  `${ownPackages.get(group) ?? group.split('.').toReversed().join('.')}.${version}.${kind}`;

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
export const metaNames = {
  objectMeta: `${meta}.ObjectMeta`,
  listMeta: `${meta}.ListMeta`,
  status: `${meta}.Status`,
  patch: `${meta}.Patch`,
} as const;
export const scaleName = 'io.k8s.api.autoscaling.v1.Scale';
