import { KubeError } from '../objects/kube-error.ts';

const maxLength = 128;

/**
 * The name under which a client's fields are kept: `fieldManager` of the query, else the first part
 * of its User-Agent.
 * @throws KubeError `Invalid` for a name that is too long or cannot be printed
 */
export const managerName = (
  fieldManager: string | undefined,
  userAgent: string | undefined,
): string => {
  if (fieldManager !== undefined && fieldManager !== '') {
    if (fieldManager.length > maxLength || !/^\P{C}*$/u.test(fieldManager)) {
      throw new KubeError(
        'Invalid',
        `fieldManager is invalid: at most ${maxLength} printable characters`,
      );
    }
    return fieldManager;
  }
  const first = (userAgent ?? '').split('/', 1)[0] ?? '';
  return first.replaceAll(/\p{C}/gu, '').slice(0, maxLength) || 'unknown';
};
