import type { KubeObject } from '../objects/kube-object.ts';
import { groupVersion, type Resource, resourceKey } from '../objects/resource.ts';
import type { ObjectTable, StoredObject } from './object-table.ts';

interface Loaded {
  readonly resource: Resource;
  readonly object: KubeObject;
  /** Of its JSON. */
  readonly length: number;
}

/** The objects of a table, in their storage version. Those that cannot be read are left out. */
export function loadObjects(
  table: Pick<ObjectTable, 'all'>,
  resources: readonly Resource[],
  log: (message: string, fields: Record<string, unknown>) => void,
): readonly Loaded[] {
  const byKey = new Map(resources.map((resource) => [resourceKey(resource), resource]));
  return table.all().flatMap((row) => {
    const resource = byKey.get(row.resource);
    if (resource?.persistent !== true) return [];
    try {
      return [{ resource, object: readObject(row, resource), length: row.object.length }];
    } catch (error) {
      const { namespace, name } = row;
      log('A stored object is damaged and left out', {
        resource: row.resource,
        namespace,
        name,
        error: String(error),
      });
      return [];
    }
  });
}

function readObject(row: StoredObject, resource: Resource): KubeObject {
  const object: unknown = JSON.parse(row.object);
  if (!isObject(object)) throw new Error('It is not an object.');
  const { metadata } = object;
  const { name, namespace = '' } = metadata;
  if (name !== row.name || namespace !== row.namespace || typeof metadata.uid !== 'string') {
    throw new Error('Its metadata is not that of its row.');
  }
  const version = groupVersion(resource.group, resource.storageVersion);
  if (object.apiVersion === version) return object;
  return resource.convert?.(object, resource.storageVersion) ?? object;
}

function isObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<Record<string, unknown>>;
  return (
    typeof apiVersion === 'string' &&
    typeof kind === 'string' &&
    typeof metadata === 'object' &&
    metadata !== null
  );
}
