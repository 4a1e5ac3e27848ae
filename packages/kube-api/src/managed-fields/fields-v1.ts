import { isJsonObject, type JsonObject } from '../objects/json.ts';
import { canonicalJson } from '../schema/canonical-json.ts';
import { type FieldSet, setOf } from './field-set.ts';

/** A set as `metadata.managedFields[].fieldsV1` has it. */
export function toFieldsV1({ isMember, children }: FieldSet): JsonObject {
  const fields = [...children].map(([element, child]): [string, JsonObject] => [
    element,
    toFieldsV1(child),
  ]);
  fields.sort(([left], [right]) => (left < right ? -1 : 1));
  // A member without children is an empty object, so the dot is needed only beside others.
  const self: [string, JsonObject][] = isMember && fields.length > 0 ? [['.', {}]] : [];
  return Object.fromEntries([...self, ...fields]);
}

/** The set of a `fieldsV1`; undefined when it is none. */
export function fromFieldsV1(fields: unknown): FieldSet | undefined {
  if (!isJsonObject(fields)) return undefined;
  return readChildren(fields, false);
}

function readChildren(fields: JsonObject, isMember: boolean): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (name === '.') continue;
    const element = readElement(name);
    if (element === undefined || !isJsonObject(value)) return undefined;
    const isLeaf = Object.keys(value).length === 0;
    const child = readChildren(value, isLeaf || Object.hasOwn(value, '.'));
    if (child === undefined) return undefined;
    children.push([element, child]);
  }
  return setOf(children, isMember);
}

/** The element with its JSON in one form; undefined when it is none. */
function readElement(name: string): string | undefined {
  if (name.startsWith('f:')) return name;
  const prefix = name.slice(0, 2);
  if (prefix !== 'k:' && prefix !== 'v:' && prefix !== 'i:') return undefined;
  try {
    const value: unknown = JSON.parse(name.slice(2));
    if (prefix === 'k:' && !isJsonObject(value)) return undefined;
    if (prefix === 'i:' && !Number.isInteger(value)) return undefined;
    return prefix + canonicalJson(value);
  } catch {
    return undefined;
  }
}
