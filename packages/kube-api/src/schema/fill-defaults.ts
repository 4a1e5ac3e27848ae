import { isJsonObject, type JsonObject } from '../objects/json.ts';
import type { SchemaNode } from './schema-node.ts';

/** The value with the defaults of its schema; itself when nothing was missing. */
export function fillDefaults(node: SchemaNode, value: unknown): unknown {
  if (!node.hasDefaults) return value;
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined ? value : mapped(value, (item) => fillDefaults(items, item));
  }
  return isJsonObject(value) ? fillFields(node, value) : value;
}

function mapped(values: readonly unknown[], change: (value: unknown) => unknown) {
  const next = values.map(change);
  return next.every((value, index) => value === values[index]) ? values : next;
}

function fillFields(node: SchemaNode, object: JsonObject): JsonObject {
  const filled = new Map<string, unknown>();
  for (const [field, child] of node.properties) {
    const value = Object.hasOwn(object, field) ? object[field] : undefined;
    const isMissing = value === undefined || (value === null && !child.nullable);
    if (isMissing && child.default === undefined) continue;
    const next = fillDefaults(child, isMissing ? child.default : value);
    if (next !== value) filled.set(field, next);
  }
  const { values } = node;
  if (values !== undefined) {
    for (const [field, value] of Object.entries(object)) {
      if (node.properties.has(field)) continue;
      const next = fillDefaults(values, value);
      if (next !== value) filled.set(field, next);
    }
  }
  return filled.size === 0 ? object : Object.fromEntries([...Object.entries(object), ...filled]);
}
