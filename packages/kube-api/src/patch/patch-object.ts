import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';
import type { PatchType } from './patch-type.ts';

/**
 * The object after a patch, not yet checked: to be given to `completeObject`. Server-side apply is
 * `applyConfig`.
 * @throws KubeError `BadRequest` for what is no patch, `Invalid` for one that does not fit the
 * object, `UnsupportedMediaType` for a strategic patch of a kind that has none
 */
export const patchObject = (
  resource: Resource,
  type: Exclude<PatchType, 'apply'>,
  object: KubeObject,
  patch: unknown,
): unknown => {
  void resource;
  void type;
  void patch;
  return object;
};
