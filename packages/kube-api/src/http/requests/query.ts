import { KubeError } from '../../objects/kube-error.ts';

const trueTexts = new Set(['true', '1', 't', 'yes', 'y', '']);
const falseTexts = new Set(['false', '0', 'f', 'no', 'n']);

/** @throws KubeError `BadRequest` */
export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const lower = text.toLowerCase();
  if (trueTexts.has(lower)) return true;
  if (falseTexts.has(lower)) return false;
  throw new KubeError('BadRequest', `${name}: ${JSON.stringify(text)} is neither true nor false`);
}

/**
 * A number that is whole and not negative.
 * @throws KubeError `BadRequest`
 */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text)) return value;
  throw new KubeError('BadRequest', `${name}: ${JSON.stringify(text)} is no whole number`);
}

/**
 * One of the words, or undefined when nothing is given.
 * @throws KubeError `BadRequest`
 */
export function oneOf<Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  throw new KubeError(
    'BadRequest',
    `${name}: ${JSON.stringify(text)}: known are ${words.join(', ')}`,
  );
}

/** A text that is there and not empty. */
export const text = (query: URLSearchParams, name: string): string | undefined =>
  query.get(name) || undefined;

/**
 * Whether `dryRun=All` is asked for.
 * @throws KubeError `BadRequest`
 */
export function isDryRun(values: readonly string[]): boolean {
  const known = values.filter((value) => value !== '');
  const other = known.find((value) => value !== 'All');
  if (other === undefined) return known.length > 0;
  throw new KubeError(
    'BadRequest',
    `dryRun: Unsupported value: ${JSON.stringify(other)}: supported values: "All"`,
  );
}
