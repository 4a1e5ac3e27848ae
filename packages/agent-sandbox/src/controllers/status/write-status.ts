import { KubeError, type KubeObject, type ObjectStore, type ResourceKey } from '@sandport/kube-api';

/** Writes the status of an object, unless it has gone or is another one of its name by now. */
export function writeStatus(
  store: ObjectStore,
  resource: ResourceKey,
  { metadata }: KubeObject,
  status: Readonly<Record<string, unknown>>,
): void {
  const current = store.get(resource, metadata.namespace ?? '', metadata.name);
  if (current === undefined || current.metadata.uid !== metadata.uid) return;
  store.update(resource, { ...current, status }, { status: true });
}

/** Removes an object that may have gone already. */
export function removeIfThere(
  store: ObjectStore,
  resource: ResourceKey,
  { metadata }: KubeObject,
  options: Parameters<ObjectStore['remove']>[3] = {},
): void {
  const { namespace = '', name, uid } = metadata;
  try {
    store.remove(resource, namespace, name, { uid, ...options });
  } catch (error) {
    if (!(error instanceof KubeError) || !['NotFound', 'Conflict'].includes(error.reason))
      throw error;
  }
}

/** Makes the object, or brings the one that is there to the same content. */
export function putObject(
  store: ObjectStore,
  resource: ResourceKey,
  object: KubeObject,
): KubeObject {
  const { namespace = '', name } = object.metadata;
  const current = store.get(resource, namespace, name);
  if (current === undefined) return store.create(resource, object);
  const { uid, resourceVersion, generation, creationTimestamp } = current.metadata;
  const kept = Object.fromEntries(
    Object.entries({ uid, resourceVersion, generation, creationTimestamp }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return store.update(resource, { ...object, metadata: { ...object.metadata, ...kept } });
}
