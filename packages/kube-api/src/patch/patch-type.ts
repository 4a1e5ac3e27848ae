import { KubeError } from '../objects/kube-error.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const patchTypes: ReadonlyMap<string, PatchType> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
]);

/**
 * How a PATCH is to be read.
 * @throws KubeError `UnsupportedMediaType`
 */
export const patchTypeOf = (contentType: string | undefined): PatchType => {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const type = patchTypes.get(mediaType);
  if (type === undefined) {
    throw new KubeError(
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${[...patchTypes.keys()].join(', ')}`,
    );
  }
  return type;
};
