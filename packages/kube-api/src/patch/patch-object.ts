import { checkJson, isJsonObject } from '../objects/json.ts';
import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';
import { versionSchema } from '../schema/version-schema.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { patchMediaTypes, type PatchType, unsupportedPatch } from './patch-type.ts';
import { applyStrategicPatch } from './strategic-patch.ts';

/** Groups whose kinds Kubernetes has itself; those of others have no strategic patch. */
const ownGroups = new Set([
  '',
  'apps',
  'batch',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'networking.k8s.io',
]);

/** The ways in which objects of this kind can be patched. */
export const patchTypesOf = ({ group }: Pick<Resource, 'group'>): readonly PatchType[] =>
  ownGroups.has(group) ? ['json', 'merge', 'strategic', 'apply'] : ['json', 'merge', 'apply'];

export const patchMediaTypesOf = (resource: Pick<Resource, 'group'>): readonly string[] =>
  patchTypesOf(resource).map((type) => patchMediaTypes[type]);

/**
 * The object after a patch, not yet checked: to be given to `completeObject`. Server-side apply is
 * `applyConfig`.
 * @throws KubeError `BadRequest` for what is no patch, `Invalid` for one that does not fit the
 * object, `UnsupportedMediaType` for a strategic patch of a kind that has none
 */
export function patchObject(
  resource: Resource,
  type: Exclude<PatchType, 'apply'>,
  object: KubeObject,
  patch: unknown,
): unknown {
  const types = patchTypesOf(resource);
  if (!types.includes(type)) throw unsupportedPatch(types);
  if (type === 'json') return applyJsonPatch(object, patch);
  checkJson(patch);
  if (!isJsonObject(patch)) {
    throw new KubeError('BadRequest', 'the patch must be an object with the fields to be changed');
  }
  if (type === 'merge') return applyMergePatch(object, patch);
  const versionName = object.apiVersion.slice(object.apiVersion.lastIndexOf('/') + 1);
  return applyStrategicPatch(versionSchema(resource, versionName), object, patch);
}
