import type { FieldCause } from '@sandport/kube-api';
import type { Blueprint } from '../templates/blueprint.ts';
import { reviewPodSpec } from '../templates/review-pod-spec.ts';

export interface Review {
  readonly causes: readonly FieldCause[];
  readonly warnings: readonly string[];
}

/** Most volumes and directories of one sandbox. */
const mostVolumes = 64;

/** What of a blueprint cannot be, and what will have no effect. */
export function reviewBlueprint(blueprint: Blueprint): Review {
  const { podTemplate, volumeClaimTemplates = [] } = blueprint;
  const { faults, warnings } = reviewPodSpec(podTemplate?.spec ?? {});
  const causes = faults.map(({ field, ...rest }) => ({
    field: `spec.podTemplate.spec.${field}`,
    ...rest,
  }));
  if (volumeClaimTemplates.length > mostVolumes)
    causes.push({
      field: 'spec.volumeClaimTemplates',
      message: `Too many: there may be ${mostVolumes}`,
      reason: 'FieldValueInvalid',
    });
  return { causes, warnings: warnings.map((warning) => `spec.podTemplate.spec.${warning}`) };
}
