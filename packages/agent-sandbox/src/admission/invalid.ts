import { type FieldCause, KubeError, type KubeObject } from '@sandport/kube-api';

/** The answer to an object with fields that cannot be. */
export function invalidObject(
  { kind, apiVersion, metadata }: KubeObject,
  causes: readonly FieldCause[],
): KubeError {
  const [group = ''] = apiVersion.split('/');
  const list = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = list.length === 1 ? list.join() : `[${list.join(', ')}]`;
  return new KubeError('Invalid', `${kind}.${group} "${metadata.name}" is invalid: ${text}`, {
    name: metadata.name,
    group,
    kind,
    causes,
  });
}

export const immutable = (field: string): FieldCause => ({
  field,
  message: 'Invalid value: the field is immutable',
  reason: 'FieldValueInvalid',
});
