import type { KubeObject } from '@sandport/kube-api';
import { nodeName } from '../../resources/keys.ts';
import { sandboxSpec } from '../../templates/blueprint.ts';
import { conditionOf, type NewCondition, nextConditions } from '../status/conditions.ts';
import { selectorOf } from './derived-objects.ts';

type Fields = Readonly<Record<string, unknown>>;

const scheduled: NewCondition = {
  type: 'PodScheduled',
  status: 'True',
  reason: 'Scheduled',
  message: `The pod runs on ${nodeName}`,
};

const notReady = (reason: string, message: string): NewCondition => ({
  type: 'Ready',
  status: 'False',
  reason,
  message,
});

/** It takes commands. */
export function readyStatus(object: KubeObject, address: string | undefined): Fields {
  const ready = { type: 'Ready', status: 'True', reason: 'DependenciesReady' } as const;
  const conditions = [{ ...ready, message: 'Pod is Ready' }, scheduled];
  return {
    conditions: nextConditions(object, conditions),
    ...(sandboxSpec(object).service === true
      ? {
          service: object.metadata.name,
          // There are no names for addresses on this machine.
          ...(address === undefined ? {} : { serviceFQDN: address }),
        }
      : {}),
    selector: selectorOf(object.metadata.name),
    ...(address === undefined ? {} : { podIPs: [address] }),
    nodeName,
  };
}

/** It has no pod, or none yet. */
export const notReadyStatus = (object: KubeObject, reason: string, message: string): Fields => ({
  conditions: nextConditions(object, [notReady(reason, message)]),
  selector: selectorOf(object.metadata.name),
});

/** It died. */
export const failedStatus = (object: KubeObject, message: string): Fields => ({
  conditions: nextConditions(object, [
    notReady('PodFailed', message),
    scheduled,
    { type: 'Finished', status: 'True', reason: 'PodFailed', message },
  ]),
  selector: selectorOf(object.metadata.name),
  nodeName,
});

/** It sleeps, because its object says so. */
export const suspendedStatus = (object: KubeObject): Fields => ({
  conditions: nextConditions(object, [
    notReady('SandboxSuspended', 'Sandbox is suspended'),
    {
      type: 'Suspended',
      status: 'True',
      reason: 'PodTerminated',
      message: 'The pod has ended; disk and volumes are kept',
    },
  ]),
  selector: selectorOf(object.metadata.name),
});

/** Its time is over: only conditions are left. */
export function expiredStatus(object: KubeObject): Fields {
  const finished = conditionOf(object, 'Finished');
  return {
    conditions: nextConditions(object, [
      notReady('SandboxExpired', 'Sandbox has expired'),
      ...(finished === undefined ? [] : [finished]),
    ]),
  };
}
