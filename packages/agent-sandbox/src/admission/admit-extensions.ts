import { isDeepStrictEqual } from 'node:util';
import type { Admission, Admitted, FieldCause, KubeObject } from '@sandport/kube-api';
import { maxPoolSize } from '@sandport/protocol';
import { claimSpec, templateSpec, warmPoolSpec } from '../templates/blueprint.ts';
import { volumeClaimFault } from '../templates/volume-claims.ts';
import { nameCauses } from './admit-sandbox.ts';
import { reviewBlueprint } from './blueprint-faults.ts';
import { reviewPolicy } from './policy-faults.ts';
import { immutable, invalidObject } from './invalid.ts';
import { withMark } from './marks.ts';

const isWrite = ({ operation }: Admission): boolean =>
  operation === 'create' || operation === 'update';

/** Fields of a claim that stay as they were made: a sandbox was made after them. */
const fixedFields = ['warmPoolRef', 'env', 'volumeClaimTemplates'] as const;

export function admitClaim(object: KubeObject, admission: Admission): Admitted {
  if (!isWrite(admission)) return { object };
  const { before } = admission;
  const spec = claimSpec(object);
  const causes: FieldCause[] = [];
  const warnings: string[] = [];
  if (before === undefined) causes.push(...nameCauses(object));
  else
    for (const field of fixedFields)
      if (!isDeepStrictEqual(claimSpec(before)[field] ?? [], spec[field] ?? []))
        causes.push(immutable(`spec.${field}`));
  if (causes.length > 0) throw invalidObject(object, causes);
  const { shutdownTime } = spec.lifecycle ?? {};
  if (shutdownTime !== undefined && Date.parse(shutdownTime) <= Date.now())
    warnings.push('spec.lifecycle.shutdownTime is in the past: the claim expires at once');
  return { object, warnings };
}

export function admitTemplate(object: KubeObject, admission: Admission): Admitted {
  if (!isWrite(admission)) return { object };
  const spec = templateSpec(object);
  const { causes, warnings } = reviewBlueprint(spec);
  const all: FieldCause[] = [...causes];
  const fault = volumeClaimFault(spec.volumeClaimTemplates ?? [], 'x');
  if (fault !== undefined)
    all.push({
      field: 'spec.volumeClaimTemplates',
      message: `Invalid value: ${fault}`,
      reason: 'FieldValueInvalid',
    });
  const policy = reviewPolicy(spec, isUnchanged(object, admission) ? undefined : admission.caller);
  all.push(...policy.causes);
  if (all.length > 0) throw invalidObject(object, all);
  return {
    object: withMark(object, admission),
    warnings: [...warnings, ...policy.warnings],
  };
}

const isUnchanged = ({ spec }: KubeObject, { before }: Admission): boolean =>
  isDeepStrictEqual(before?.spec, spec);

export function admitWarmPool(object: KubeObject, admission: Admission): Admitted {
  if (!isWrite(admission)) return { object };
  const { replicas = 1 } = warmPoolSpec(object);
  if (replicas > maxPoolSize)
    throw invalidObject(object, [
      {
        field: 'spec.replicas',
        message: `Invalid value: ${replicas}: must be at most ${maxPoolSize}`,
        reason: 'FieldValueInvalid',
      },
    ]);
  return { object };
}
