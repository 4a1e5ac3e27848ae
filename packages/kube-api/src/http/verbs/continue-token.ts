import { KubeError } from '../../objects/kube-error.ts';

/** Where the next page of a list begins. */
export interface ContinueToken {
  /** The moment whose objects are listed. */
  readonly revision: number;
  /** The last object of the page before. */
  readonly namespace: string;
  readonly name: string;
}

const maxLength = 2048;

export const continueText = ({ revision, namespace, name }: ContinueToken): string =>
  Buffer.from(JSON.stringify([revision, namespace, name])).toString('base64url');

/** @throws KubeError `BadRequest` */
export function readContinue(text: string | undefined): ContinueToken | undefined {
  if (text === undefined) return undefined;
  const [revision, namespace, name, ...more] = parts(text);
  if (
    typeof revision !== 'number' ||
    !Number.isSafeInteger(revision) ||
    revision < 0 ||
    typeof namespace !== 'string' ||
    typeof name !== 'string' ||
    more.length > 0
  ) {
    throw unreadable();
  }
  return { revision, namespace, name };
}

function parts(text: string): readonly unknown[] {
  if (text.length > maxLength) throw unreadable();
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(value)) return value;
  } catch {
    // It is answered below.
  }
  throw unreadable();
}

const unreadable = (): KubeError =>
  new KubeError('BadRequest', 'continue key is not valid: it is none that this server has given');
