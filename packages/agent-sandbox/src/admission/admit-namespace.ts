import { type Admission, type Admitted, KubeError, type KubeObject } from '@sandport/kube-api';
import { namespaceSchema } from '@sandport/protocol';
import { fixedNamespaces } from '../resources/machine-objects.ts';
import { invalidObject } from './invalid.ts';

/** A key makes and deletes only namespaces that it is bound to. */
export function admitNamespace(object: KubeObject, { caller, operation }: Admission): Admitted {
  const { name } = object.metadata;
  const refuse = (why: string) =>
    new KubeError('Forbidden', `namespaces "${name}" is forbidden: ${why}`, {
      name,
      kind: 'namespaces',
    });
  if (caller.namespaces !== undefined && !caller.namespaces.has(name))
    throw refuse('the API key is bound to other namespaces');
  if (operation === 'delete' && fixedNamespaces.some((fixed) => fixed === name))
    throw refuse('this namespace may not be deleted');
  if (operation === 'create' && !namespaceSchema.safeParse(name).success)
    throw invalidObject(object, [
      {
        field: 'metadata.name',
        message: `Invalid value: "${name}": must be a DNS label of up to 63 characters`,
        reason: 'FieldValueInvalid',
      },
    ]);
  const status = operation === 'create' ? { status: { phase: 'Active' } } : {};
  return { object: { ...object, ...status } };
}
