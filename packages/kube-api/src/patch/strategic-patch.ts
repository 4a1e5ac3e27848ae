import { fieldOf, isJsonObject, type JsonObject } from '../objects/json.ts';
import { KubeError } from '../objects/kube-error.ts';
import { canonicalJson } from '../schema/canonical-json.ts';
import type { SchemaNode } from '../schema/schema-node.ts';

const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/**
 * The target after a strategic merge patch: as a merge patch, but lists that the schema calls maps
 * or sets are merged item by item. The order that a patch asks for is not kept.
 * @throws KubeError `BadRequest` for a directive that is not known
 */
export function applyStrategicPatch(
  node: SchemaNode | undefined,
  target: unknown,
  patch: unknown,
): unknown {
  if (Array.isArray(patch)) return mergeLists(node, target, patch);
  return isJsonObject(patch) ? mergeFields(node, target, patch) : patch;
}

function mergeFields(node: SchemaNode | undefined, target: unknown, patch: JsonObject): unknown {
  const directive = directiveOf(patch);
  if (directive === 'delete') return undefined;
  const kept = directive === 'replace' || !isJsonObject(target) ? {} : target;
  const fields = new Map(Object.entries(kept));
  retainKeys(fields, fieldOf(patch, '$retainKeys'));
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith(deletePrefix)) {
      deleteItems(fields, field.slice(deletePrefix.length), value);
    } else if (field.startsWith('$')) {
      checkDirective(field);
    } else if (value === null) {
      fields.delete(field);
    } else {
      const child = node?.properties.get(field) ?? node?.values;
      const next = applyStrategicPatch(child, fields.get(field), value);
      if (next === undefined) fields.delete(field);
      else fields.set(field, next);
    }
  }
  return Object.fromEntries(fields);
}

function directiveOf(patch: JsonObject): 'merge' | 'replace' | 'delete' {
  const directive = fieldOf(patch, '$patch') ?? 'merge';
  if (directive === 'merge' || directive === 'replace' || directive === 'delete') return directive;
  throw new KubeError('BadRequest', 'a "$patch" is one of: merge, replace, delete');
}

function checkDirective(field: string): void {
  if (field === '$patch' || field === '$retainKeys' || field.startsWith(orderPrefix)) return;
  throw new KubeError('BadRequest', `the patch has a directive that is not known: ${field}`);
}

function retainKeys(fields: Map<string, unknown>, keys: unknown): void {
  if (!Array.isArray(keys)) return;
  const retained = new Set<unknown>(keys);
  for (const field of [...fields.keys()]) if (!retained.has(field)) fields.delete(field);
}

function deleteItems(fields: Map<string, unknown>, field: string, items: unknown): void {
  const list = fields.get(field);
  if (!Array.isArray(list) || !Array.isArray(items)) return;
  const deleted = new Set(items.map(canonicalJson));
  fields.set(
    field,
    list.filter((item) => !deleted.has(canonicalJson(item))),
  );
}

function mergeLists(
  node: SchemaNode | undefined,
  target: unknown,
  patch: readonly unknown[],
): unknown {
  const list: readonly unknown[] = Array.isArray(target) ? target : [];
  const replaces = patch.some(
    (item) => isJsonObject(item) && fieldOf(item, '$patch') === 'replace',
  );
  const items = patch.filter(
    (item) => !(isJsonObject(item) && fieldOf(item, '$patch') === 'replace'),
  );
  const [key] = node?.listMapKeys ?? [];
  if (node?.listType === 'map' && key !== undefined && !replaces) {
    return mergeItems(node.items, list, items, key);
  }
  if (node?.listType === 'set' && !replaces) {
    const merged = new Map([...list, ...items].map((item) => [canonicalJson(item), item]));
    return [...merged.values()];
  }
  return items;
}

function mergeItems(
  node: SchemaNode | undefined,
  list: readonly unknown[],
  patches: readonly unknown[],
  key: string,
): readonly unknown[] {
  const keyOf = (item: unknown): string =>
    canonicalJson(isJsonObject(item) ? fieldOf(item, key) : undefined);
  const merged = new Map(list.map((item) => [keyOf(item), item]));
  for (const patch of patches) {
    if (!isJsonObject(patch) || fieldOf(patch, key) === undefined) {
      throw new KubeError('BadRequest', `an item of the patch has no "${key}" to be merged by`);
    }
    const next = applyStrategicPatch(node, merged.get(keyOf(patch)), patch);
    if (next === undefined) merged.delete(keyOf(patch));
    else merged.set(keyOf(patch), next);
  }
  return [...merged.values()];
}
