import type { SchemaNode } from '../schema/schema-node.ts';
import {
  fieldNode,
  isGranularList,
  isGranularObject,
  itemElement,
  itemsByElement,
} from './shape.ts';

/** The live value with what a config says; merging the same again changes nothing. */
export function mergeValues(node: SchemaNode | undefined, live: unknown, config: unknown): unknown {
  if (isGranularObject(node, config) && isGranularObject(node, live)) {
    const fields = new Map(Object.entries(live));
    for (const [field, value] of Object.entries(config)) {
      fields.set(field, mergeValues(fieldNode(node, field), fields.get(field), value));
    }
    return Object.fromEntries(fields);
  }
  if (isGranularList(node, config) && isGranularList(node, live)) {
    return mergeItems(node, live, config);
  }
  return config;
}

/** Items of the config are in its order; those that only live has stay where they are among them. */
function mergeItems(
  node: SchemaNode | undefined,
  live: readonly unknown[],
  config: readonly unknown[],
): readonly unknown[] {
  const lived = itemsByElement(node, live);
  const wanted = [...itemsByElement(node, config)];
  const places = new Map(wanted.map(([element], place) => [element, place]));
  const merged: unknown[] = [];
  let next = 0;
  const takeUpTo = (place: number): void => {
    for (const [element, item] of wanted.slice(next, place)) {
      merged.push(mergeValues(node?.items, lived.get(element), item));
    }
    next = Math.max(next, place);
  };
  for (const item of live) {
    const place = places.get(itemElement(node, item));
    if (place === undefined) merged.push(item);
    else takeUpTo(place + 1);
  }
  takeUpTo(wanted.length);
  return merged;
}
