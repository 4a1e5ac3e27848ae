import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import type { ObjectFilter } from './label-selector.ts';

export interface FieldSelector {
  /** Undefined: everything is selected. */
  readonly matches: ObjectFilter | undefined;
  /** The one name that objects must have, if the selector asks for one. */
  readonly name: string | undefined;
  /** The one namespace that objects must have, if the selector asks for one. */
  readonly namespace: string | undefined;
}

interface Term {
  readonly field: string;
  readonly path: readonly string[];
  readonly isEqual: boolean;
  readonly value: string;
}

const maxLength = 16_384;
const maxTerms = 64;
const pathPattern = /^[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9][A-Za-z0-9_-]*){1,7}$/;

/**
 * Reads a field selector: terms separated by commas, all of which must hold: `metadata.name=x`,
 * `status.phase==Running`, `involvedObject.uid!=y`. A field that is not there is the empty text.
 * @throws KubeError `BadRequest`
 */
export function parseFieldSelector(text: string): FieldSelector {
  if (text.length > maxLength) throw unreadable(text, `longer than ${maxLength} characters`);
  const terms = splitTerms(text).map((term) => parseTerm(text, term));
  if (terms.length > maxTerms) throw unreadable(text, `more than ${maxTerms} terms`);
  return {
    matches:
      terms.length === 0 ? undefined : (object) => terms.every((term) => holds(term, object)),
    name: wanted(terms, 'metadata.name'),
    namespace: wanted(terms, 'metadata.namespace'),
  };
}

const wanted = (terms: readonly Term[], field: string): string | undefined =>
  terms.find((term) => term.isEqual && term.field === field)?.value;

/** A backslash takes the meaning from a comma, an equals sign and a backslash. */
function splitTerms(text: string): string[] {
  const terms = text.match(/(?:[^\\,]|\\[\s\S]?)+/g) ?? [];
  return terms.filter((term) => term.trim() !== '');
}

function parseTerm(text: string, term: string): Term {
  const parts = /^\s*([^\\=!\s]+)\s*(==|=|!=)([\s\S]*)$/.exec(term);
  const [, field = '', operator = '', value = ''] = parts ?? [];
  if (parts === null || !pathPattern.test(field)) {
    throw unreadable(
      text,
      `'${term.slice(0, 200)}' is not of the form field=value or field!=value`,
    );
  }
  const plain = value.trim().replaceAll(/\\([\\,=])/g, '$1');
  return { field, path: field.split('.'), isEqual: operator !== '!=', value: plain };
}

function holds({ path, isEqual, value }: Term, object: KubeObject): boolean {
  return (textAt(object, path) === value) === isEqual;
}

function textAt(object: KubeObject, path: readonly string[]): string {
  let value: unknown = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return '';
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  const isPlain =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isPlain ? String(value) : '';
}

const unreadable = (text: string, why: string): KubeError =>
  new KubeError(
    'BadRequest',
    `unable to parse field selector ${JSON.stringify(text.slice(0, 200))}: ${why}`,
  );
