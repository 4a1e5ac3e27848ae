import { isDeepStrictEqual } from 'node:util';
import type { Admission, Caller, KubeObject } from '@sandport/kube-api';
import { annotations } from '../resources/labels.ts';

/**
 * The object with the mark that it is to have: a new one where the caller has written what the mark
 * is about, else that of the object before.
 */
export function withMark(object: KubeObject, { before, caller }: Admission): KubeObject {
  const isChanged =
    before === undefined ||
    !isDeepStrictEqual(before.spec, object.spec) ||
    marking(before, annotations.insecureRegistry) !== marking(object, annotations.insecureRegistry);
  return isChanged ? withBuildMark(object, caller) : keepBuildMark(object, before);
}

const marking = ({ metadata }: KubeObject, name: string): string | undefined =>
  metadata.annotations?.[name];

/**
 * Writes down whether whoever made or changed the object may have templates built from its images:
 * only keys that are bound to no namespace may. Nobody can write this himself.
 */
function withBuildMark(object: KubeObject, caller: Caller): KubeObject {
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

/** The mark is nobody's to write, also where nothing else is changed. */
function keepBuildMark(object: KubeObject, before: KubeObject): KubeObject {
  const mark = marking(before, annotations.mayBuild);
  const { [annotations.mayBuild]: has, ...others } = object.metadata.annotations ?? {};
  if (has === mark) return object;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...others, ...(mark === undefined ? {} : { [annotations.mayBuild]: mark }) },
    },
  };
}
