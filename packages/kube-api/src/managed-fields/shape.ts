import { fieldOf, isJsonObject, type JsonObject } from '../objects/json.ts';
import { KubeError } from '../objects/kube-error.ts';
import { canonicalJson } from '../schema/canonical-json.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { itemKeys } from '../schema/validate-value.ts';

/** The schema of a field of an object. */
export const fieldNode = (node: SchemaNode | undefined, field: string): SchemaNode | undefined =>
  node?.properties.get(field) ?? node?.values;

/** Whether the fields of a value are owned one by one. */
export const isGranularObject = (
  node: SchemaNode | undefined,
  value: unknown,
): value is JsonObject => isJsonObject(value) && node?.isAtomicMap !== true;

/** Whether the items of a value are owned one by one. */
export const isGranularList = (
  node: SchemaNode | undefined,
  value: unknown,
): value is readonly unknown[] =>
  Array.isArray(value) && (node?.listType === 'map' || node?.listType === 'set');

/** The path element of an item of a granular list. */
export const itemElement = (node: SchemaNode | undefined, item: unknown): string =>
  node?.listType === 'map'
    ? `k:${canonicalJson(itemKeys(node.listMapKeys, node.items, item))}`
    : `v:${canonicalJson(item)}`;

/** The items of a granular list by their path elements; of equal ones the first. */
export function itemsByElement(
  node: SchemaNode | undefined,
  items: readonly unknown[],
): Map<string, unknown> {
  const byElement = new Map<string, unknown>();
  for (const item of items) {
    const element = itemElement(node, item);
    if (!byElement.has(element)) byElement.set(element, item);
  }
  return byElement;
}

/** @throws KubeError `BadRequest` for items of a config that cannot be told apart */
export function checkItems(
  node: SchemaNode | undefined,
  items: readonly unknown[],
  path: string,
): void {
  const seen = new Set<string>();
  items.forEach((item, index) => {
    for (const key of node?.listType === 'map' ? node.listMapKeys : []) {
      const keys = itemKeys([key], node?.items, item);
      if (fieldOf(keys, key) === undefined) {
        throw new KubeError(
          'BadRequest',
          `${path}[${index}]: an item of this list needs the field "${key}"`,
        );
      }
    }
    const element = itemElement(node, item);
    if (seen.has(element)) {
      throw new KubeError('BadRequest', `${path}[${index}]: the list has this item twice`);
    }
    seen.add(element);
  });
}
