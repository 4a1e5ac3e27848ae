import { isJsonObject, type JsonObject } from '../objects/json.ts';
import type { SchemaNode } from './schema-node.ts';

/** Called with the path of each field that goes, as `spec.containers[0].nmae`. */
export type FoundUnknown = (path: string) => void;

/** The value without the fields that the schema does not know; itself when it has none. */
export function pruneUnknown(
  node: SchemaNode,
  value: unknown,
  path: string,
  found: FoundUnknown,
): unknown {
  if (Array.isArray(value)) return pruneItems(node, value, path, found);
  return isJsonObject(value) ? pruneFields(node, value, path, found) : value;
}

function pruneItems(
  { items }: SchemaNode,
  values: readonly unknown[],
  path: string,
  found: FoundUnknown,
): unknown {
  if (items === undefined) return values;
  let changed = false;
  const kept = values.map((value, index) => {
    const pruned = pruneUnknown(items, value, `${path}[${index}]`, found);
    changed ||= pruned !== value;
    return pruned;
  });
  return changed ? kept : values;
}

function pruneFields(
  node: SchemaNode,
  object: JsonObject,
  path: string,
  found: FoundUnknown,
): unknown {
  let changed = false;
  const kept: [string, unknown][] = [];
  for (const [field, value] of Object.entries(object)) {
    const child = node.properties.get(field) ?? node.values;
    const childPath = path === '' ? field : `${path}.${field}`;
    if (child === undefined && !node.keepsUnknown && !isScalar(node)) {
      found(childPath);
      changed = true;
      continue;
    }
    const pruned = child === undefined ? value : pruneUnknown(child, value, childPath, found);
    changed ||= pruned !== value;
    kept.push([field, pruned]);
  }
  return changed ? Object.fromEntries(kept) : object;
}

/** Where no object should be, the type is what is wrong, not the fields. */
const isScalar = ({ type, intOrString }: SchemaNode): boolean =>
  intOrString || (type !== undefined && type !== 'object');
