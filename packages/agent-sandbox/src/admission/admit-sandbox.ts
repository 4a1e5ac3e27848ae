import { isDeepStrictEqual } from 'node:util';
import type { Admission, Admitted, FieldCause, KubeObject } from '@sandport/kube-api';
import { sandboxNameSchema } from '@sandport/protocol';
import { annotations, volumesFinalizer } from '../resources/labels.ts';
import { sandboxSpec } from '../templates/blueprint.ts';
import { volumeClaimFault } from '../templates/volume-claims.ts';
import { reviewBlueprint } from './blueprint-faults.ts';
import { immutable, invalidObject } from './invalid.ts';
import { withMark } from './marks.ts';

/** Names of Sandboxes, and of claims, are names of sandboxes. */
export const nameCauses = ({ metadata: { name } }: KubeObject): FieldCause[] =>
  sandboxNameSchema.safeParse(name).success
    ? []
    : [
        {
          field: 'metadata.name',
          message: `Invalid value: "${name}": must be a DNS label: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`,
          reason: 'FieldValueInvalid',
        },
      ];

export function admitSandbox(object: KubeObject, admission: Admission): Admitted {
  const { before, operation } = admission;
  if (operation === 'delete' || operation === 'status') return { object };
  const spec = sandboxSpec(object);
  const claims = spec.volumeClaimTemplates ?? [];
  const { causes, warnings } = reviewBlueprint(spec);
  const all: FieldCause[] = [...causes];
  const claimsBefore = before === undefined ? claims : sandboxSpec(before).volumeClaimTemplates;
  if (before === undefined) {
    all.push(...nameCauses(object));
    const fault = volumeClaimFault(claims, object.metadata.name);
    if (fault !== undefined)
      all.push({
        field: 'spec.volumeClaimTemplates',
        message: `Invalid value: ${fault}`,
        reason: 'FieldValueInvalid',
      });
  } else if (!isDeepStrictEqual(claimsBefore ?? [], claims))
    all.push(immutable('spec.volumeClaimTemplates'));
  if (all.length > 0) throw invalidObject(object, all);
  const notes = [...warnings];
  if (before !== undefined && !isDeepStrictEqual(sandboxSpec(before).podTemplate, spec.podTemplate))
    notes.push(
      'spec.podTemplate: a change counts from the next start; delete the pod to start it anew',
    );
  const complete = before === undefined ? completed(object) : object;
  return { object: withMark(complete, admission), warnings: notes };
}

/** With the name of its pod, and with what keeps it until its volumes are gone. */
function completed(object: KubeObject): KubeObject {
  const { metadata } = object;
  const hasVolumes = (sandboxSpec(object).volumeClaimTemplates ?? []).length > 0;
  const { finalizers = [] } = metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [annotations.podName]: metadata.name },
      ...(hasVolumes && !finalizers.includes(volumesFinalizer)
        ? { finalizers: [...finalizers, volumesFinalizer] }
        : {}),
    },
  };
}
