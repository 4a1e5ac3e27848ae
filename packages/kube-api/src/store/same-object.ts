import type { KubeObject } from '../objects/kube-object.ts';

/** Whether two JSON values are the same; a field that is undefined is one that is not there. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameValue(item, right[index]))
    );
  }
  return sameFields(left, right);
}

function sameFields(left: object, right: object): boolean {
  const others = new Map<string, unknown>(
    Object.entries(right).filter(([, value]) => value !== undefined),
  );
  for (const [field, value] of Object.entries(left)) {
    if (value === undefined) continue;
    if (!others.has(field) || !sameValue(value, others.get(field))) return false;
    others.delete(field);
  }
  return others.size === 0;
}

/**
 * Whether a write would change nothing: all but `resourceVersion`, `generation` and the times of
 * `managedFields` is the same.
 */
export function sameObject(left: KubeObject, right: KubeObject): boolean {
  return left === right || sameValue(comparable(left), comparable(right));
}

function comparable(object: KubeObject): unknown {
  const { resourceVersion: _, generation: __, managedFields, ...metadata } = object.metadata;
  const managers = managedFields?.map(({ time: ___, ...fields }) => fields);
  return { ...object, metadata: { ...metadata, managedFields: managers } };
}
