import { randomUUID } from 'node:crypto';
import { KubeError } from '../objects/kube-error.ts';
import { type KubeObject, kubeTime, type ObjectMeta } from '../objects/kube-object.ts';
import { generatedName } from './generated-name.ts';
import type { UpdateOptions } from './object-store.ts';
import { sameValue } from './same-object.ts';

/** A new object as it is stored, but for its revision. */
export function newObject(object: KubeObject, namespaced: boolean): KubeObject {
  const {
    name = '',
    namespace,
    generateName,
    resourceVersion: _,
    deletionTimestamp: __,
    deletionGracePeriodSeconds: ___,
    ...metadata
  } = object.metadata;
  const isGenerated = name === '' && generateName !== undefined && generateName !== '';
  return {
    ...object,
    metadata: {
      name: isGenerated ? generatedName(generateName) : name,
      ...(generateName === undefined ? {} : { generateName }),
      ...(namespaced && namespace !== undefined ? { namespace } : {}),
      ...metadata,
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: kubeTime(),
    },
  };
}

export const withRevision = (object: KubeObject, revision: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) },
});

/** What a write makes of the stored object: what clients may not change stays. */
export function updatedObject(
  stored: KubeObject,
  written: KubeObject,
  { status = false }: UpdateOptions,
): KubeObject {
  if (status) return updatedStatus(stored, written);
  checkFinalizers(stored.metadata, written.metadata);
  const object = { ...written, metadata: nextMetadata(stored.metadata, written.metadata) };
  if (sameValue(specOf(stored), specOf(written))) return object;
  return {
    ...object,
    metadata: { ...object.metadata, generation: (stored.metadata.generation ?? 0) + 1 },
  };
}

function updatedStatus(stored: KubeObject, { status, metadata }: KubeObject): KubeObject {
  const { managedFields } = metadata;
  const { status: _, ...rest } = stored;
  return {
    ...rest,
    metadata: managedFields === undefined ? stored.metadata : { ...stored.metadata, managedFields },
    ...(status === undefined ? {} : { status }),
  };
}

/** Of the written metadata, what may change; of the stored, the rest. */
function nextMetadata(stored: ObjectMeta, written: ObjectMeta): ObjectMeta {
  const {
    labels: _,
    annotations: __,
    ownerReferences: ___,
    finalizers: ____,
    managedFields: _____,
    ...fixed
  } = stored;
  const { labels, annotations, ownerReferences, finalizers, managedFields } = written;
  return {
    ...fixed,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}

/** Whoever deletes an object waits for its finalizers: nobody may make him wait for more. */
function checkFinalizers(stored: ObjectMeta, written: ObjectMeta): void {
  if (stored.deletionTimestamp === undefined) return;
  const known = new Set(stored.finalizers);
  const added = (written.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  throw new KubeError('Invalid', `"${stored.name}" is invalid: metadata.finalizers: ${message}`, {
    name: stored.name,
    causes: [{ field: 'metadata.finalizers', message, reason: 'FieldValueForbidden' }],
  });
}

/** All that says what an object should be: not its metadata, and not what it is. */
function specOf(object: KubeObject): Record<string, unknown> {
  const { apiVersion: _, kind: __, metadata: ___, status: ____, ...spec } = object;
  return spec;
}

/** An object that waits for its finalizers before it goes. */
export function markedForDeletion(stored: KubeObject, finalizers: readonly string[]): KubeObject {
  const { metadata } = stored;
  const first = metadata.deletionTimestamp === undefined;
  return {
    ...stored,
    metadata: {
      ...metadata,
      finalizers,
      ...(first
        ? {
            deletionTimestamp: kubeTime(),
            deletionGracePeriodSeconds: 0,
            generation: (metadata.generation ?? 0) + 1,
          }
        : {}),
    },
  };
}
