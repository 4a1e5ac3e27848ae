import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import type { Admission, Resource } from '../../objects/resource.ts';
import { completeObject } from '../../schema/complete-object.ts';
import { convertObject } from '../../schema/convert-object.ts';

/** As the most that other stores of Kubernetes objects take. */
const maxObjectLength = 1_500_000;

export interface Storable {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

/**
 * A checked object, of any version, as it is to be stored: in the storage version, with that
 * version's defaults, and after the resource's own judgement.
 * @throws KubeError `Invalid`, `Forbidden`, `RequestEntityTooLarge`
 */
export function storable(resource: Resource, object: KubeObject, admission: Admission): Storable {
  const converted = convertObject(resource, object, resource.storageVersion);
  const full =
    converted === object
      ? object
      : completeObject(resource, resource.storageVersion, converted, { fieldValidation: 'Ignore' })
          .object;
  const admitted = resource.admit?.(full, admission) ?? { object: full };
  if (JSON.stringify(admitted.object).length > maxObjectLength) {
    throw new KubeError(
      'RequestEntityTooLarge',
      `an object may have ${maxObjectLength} characters`,
    );
  }
  return { object: admitted.object, warnings: admitted.warnings ?? [] };
}
