import { KubeError } from '../objects/kube-error.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export const patchMediaTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const allPatchTypes: readonly PatchType[] = ['json', 'merge', 'strategic', 'apply'];

/**
 * How a PATCH is to be read.
 * @throws KubeError `UnsupportedMediaType`
 */
export function patchTypeOf(contentType: string | undefined): PatchType {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const type = allPatchTypes.find((candidate) => patchMediaTypes[candidate] === mediaType);
  if (type === undefined) throw unsupportedPatch(allPatchTypes);
  return type;
}

export const unsupportedPatch = (accepted: readonly PatchType[]): KubeError =>
  new KubeError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.map((type) => patchMediaTypes[type]).join(', ')}`,
  );
