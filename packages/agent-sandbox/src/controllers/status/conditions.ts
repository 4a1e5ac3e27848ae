import { type Condition, type KubeObject, kubeTime } from '@sandport/kube-api';

export type NewCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** The conditions of an object. They were written by controllers. */
export const conditionsOf = ({ status }: KubeObject): readonly Condition[] =>
  (status?.['conditions'] as readonly Condition[] | undefined) ?? [];

export const conditionOf = (object: KubeObject, type: string): Condition | undefined =>
  conditionsOf(object).find((condition) => condition.type === type);

/**
 * The conditions that the object is to have. The time of a transition stays while the status of the
 * condition does.
 */
export function nextConditions(
  object: KubeObject,
  conditions: readonly NewCondition[],
): readonly Condition[] {
  const now = kubeTime();
  const { generation } = object.metadata;
  return conditions.map((condition) => {
    const before = conditionOf(object, condition.type);
    return {
      ...condition,
      lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
}
