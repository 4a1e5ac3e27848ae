import { fieldOf, isJsonObject, type JsonObject } from '../objects/json.ts';
import type { SchemaRule } from '../objects/resource.ts';
import { sameValue } from '../store/same-object.ts';
import type { Causes } from './causes.ts';
import { canonicalJson } from './canonical-json.ts';
import type { SchemaNode, ValueType } from './schema-node.ts';
import { validateNumber, validateString } from './validate-scalar.ts';

export interface Validation {
  readonly causes: Causes;
  /** Undefined: rules are left out, as of a value that is not whole. */
  readonly rules: Readonly<Record<string, SchemaRule>> | undefined;
}

/** Checks a value against its schema. `before` is what it replaces, where there is such a value. */
export function validateValue(
  node: SchemaNode,
  value: unknown,
  before: unknown,
  path: string,
  validation: Validation,
): void {
  const { causes } = validation;
  if (causes.isFull || (value === null && node.nullable)) return;
  const expected = wrongType(node, value);
  if (expected !== undefined) return causes.wrongType(path, typeName(value), expected);
  if (node.enum !== undefined && !node.enum.some((allowed) => sameValue(allowed, value))) {
    causes.unsupported(path, value, node.enum);
  }
  if (typeof value === 'string') validateString(node, value, path, causes);
  else if (typeof value === 'number') validateNumber(node, value, path, causes);
  else if (Array.isArray(value)) validateItems(node, value, before, path, validation);
  else if (isJsonObject(value)) validateFields(node, value, before, path, validation);
  runRules(node, value, before, path, validation);
}

/** The type that the value should have; undefined when it has it. */
function wrongType({ type, intOrString }: SchemaNode, value: unknown): string | undefined {
  const actual = typeName(value);
  if (intOrString)
    return actual === 'integer' || actual === 'string' ? undefined : 'integer,string';
  if (type === undefined || type === actual) return undefined;
  return type === 'number' && actual === 'integer' ? undefined : type;
}

/** Numbers that JSON cannot hold would be null when they are sent. */
function typeName(value: unknown): ValueType | 'null' {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'boolean' : 'object';
}

function validateItems(
  node: SchemaNode,
  values: readonly unknown[],
  before: unknown,
  path: string,
  validation: Validation,
): void {
  const { causes } = validation;
  const { items, minItems, maxItems } = node;
  if (maxItems !== undefined && values.length > maxItems) {
    return causes.tooMany(path, values.length, maxItems);
  }
  if (minItems !== undefined && values.length < minItems) {
    causes.invalid(path, values.length, `${path} in body should have at least ${minItems} items`);
  }
  const identities = values.map((value) => itemIdentity(node, value));
  if (node.listType !== 'atomic') reportDuplicates(node, values, identities, path, causes);
  if (items === undefined) return;
  const earlier = itemsByIdentity(node, before);
  values.forEach((value, index) => {
    const identity = identities[index];
    const replaced = identity === undefined ? undefined : earlier.get(identity);
    validateValue(items, value, replaced, `${path}[${index}]`, validation);
  });
}

/** What tells an item of a set or a map from the others. */
function itemIdentity({ listType, listMapKeys, items }: SchemaNode, value: unknown) {
  if (listType === 'atomic') return undefined;
  return canonicalJson(listType === 'map' ? itemKeys(listMapKeys, items, value) : value);
}

/** The values of an item's keys; one that is left out has its default. */
export const itemKeys = (
  keys: readonly string[],
  items: SchemaNode | undefined,
  value: unknown,
): JsonObject =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const item = isJsonObject(value) ? value : undefined;
      const keyValue = fieldOf(item, key) ?? items?.properties.get(key)?.default;
      return keyValue === undefined ? [] : [[key, keyValue]];
    }),
  );

function itemsByIdentity(node: SchemaNode, before: unknown): ReadonlyMap<string, unknown> {
  const items = new Map<string, unknown>();
  if (!Array.isArray(before)) return items;
  for (const item of before) {
    const identity = itemIdentity(node, item);
    if (identity !== undefined) items.set(identity, item);
  }
  return items;
}

function reportDuplicates(
  { listType, listMapKeys, items }: SchemaNode,
  values: readonly unknown[],
  identities: readonly (string | undefined)[],
  path: string,
  causes: Causes,
): void {
  const seen = new Set<string | undefined>();
  identities.forEach((identity, index) => {
    if (seen.has(identity)) {
      const value = values[index];
      const shown = listType === 'map' ? itemKeys(listMapKeys, items, value) : value;
      causes.duplicate(`${path}[${index}]`, shown);
    }
    seen.add(identity);
  });
}

function validateFields(
  node: SchemaNode,
  object: JsonObject,
  before: unknown,
  path: string,
  validation: Validation,
): void {
  const { causes } = validation;
  for (const field of node.required) {
    if (fieldOf(object, field) === undefined) causes.required(fieldPath(path, field));
  }
  const fields = Object.entries(object).filter(([, value]) => value !== undefined);
  const { minProperties, maxProperties } = node;
  if (maxProperties !== undefined && fields.length > maxProperties) {
    causes.tooMany(path, fields.length, maxProperties);
  }
  if (minProperties !== undefined && fields.length < minProperties) {
    causes.invalid(
      path,
      fields.length,
      `${path} in body should have at least ${minProperties} properties`,
    );
  }
  for (const [field, value] of fields) {
    const child = node.properties.get(field) ?? node.values;
    if (child === undefined) continue;
    const replaced = isJsonObject(before) ? fieldOf(before, field) : undefined;
    validateValue(child, value, replaced, fieldPath(path, field), validation);
  }
}

const fieldPath = (path: string, field: string): string =>
  path === '' ? field : `${path}.${field}`;

function runRules(
  node: SchemaNode,
  value: unknown,
  before: unknown,
  path: string,
  { causes, rules }: Validation,
): void {
  if (rules === undefined) return;
  for (const { rule, message } of node.rules) {
    const judge = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
    if (judge === undefined) throw new Error(`There is no code for the rule "${rule}" of ${path}.`);
    const wrong = judge(value, before);
    if (wrong === undefined) continue;
    const shown = typeof value === 'object' ? typeName(value) : value;
    causes.invalid(path, shown, wrong || message || `failed rule: ${rule}`);
  }
}
