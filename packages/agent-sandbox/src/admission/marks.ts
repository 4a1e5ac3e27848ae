import type { Caller, KubeObject } from '@sandport/kube-api';
import { annotations } from '../resources/labels.ts';

/**
 * Writes down whether whoever made or changed the object may have templates built from its images:
 * only keys that are bound to no namespace may. Nobody can write this himself.
 */
export function withBuildMark(object: KubeObject, caller: Caller): KubeObject {
  const { metadata } = object;
  const { [annotations.mayBuild]: had, ...others } = metadata.annotations ?? {};
  if (caller.namespaces === undefined)
    return had === 'true'
      ? object
      : {
          ...object,
          metadata: { ...metadata, annotations: { ...others, [annotations.mayBuild]: 'true' } },
        };
  return had === undefined ? object : { ...object, metadata: { ...metadata, annotations: others } };
}
