import { KubeError } from '../../objects/kube-error.ts';

/**
 * The number of a `resourceVersion`; undefined when none is given.
 * @throws KubeError `BadRequest`
 */
export function revisionOf(resourceVersion: string | undefined): number | undefined {
  if (resourceVersion === undefined) return undefined;
  if (/^\d{1,15}$/.test(resourceVersion)) return Number(resourceVersion);
  throw new KubeError(
    'BadRequest',
    `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: it is no version that this server has given`,
  );
}
