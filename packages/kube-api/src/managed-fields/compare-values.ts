import { sameValue } from '../store/same-object.ts';
import { fieldOf } from '../objects/json.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { emptySet, type FieldSet, setOf } from './field-set.ts';
import { fieldNode, isGranularList, isGranularObject, itemsByElement } from './shape.ts';
import { allFields } from './value-fields.ts';

/** How a value differs from the one before it. */
export interface Difference {
  /** Fields that are new or have another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const none: Difference = { changed: emptySet, removed: emptySet };

/** What of a value is not as it was; undefined stands for no value. */
export function compareValues(
  node: SchemaNode | undefined,
  before: unknown,
  after: unknown,
): Difference {
  if (sameValue(before, after)) return none;
  if (before === undefined) return { changed: allFields(node, after), removed: emptySet };
  if (after === undefined) return { changed: emptySet, removed: allFields(node, before) };
  if (isGranularObject(node, before) && isGranularObject(node, after)) {
    const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
    return joined(
      [...fields].map((field) => [
        `f:${field}`,
        compareValues(fieldNode(node, field), fieldOf(before, field), fieldOf(after, field)),
      ]),
    );
  }
  if (isGranularList(node, before) && isGranularList(node, after)) {
    const earlier = itemsByElement(node, before);
    const later = itemsByElement(node, after);
    return joined(
      [...new Set([...earlier.keys(), ...later.keys()])].map((element) => [
        element,
        compareValues(node?.items, earlier.get(element), later.get(element)),
      ]),
    );
  }
  return {
    changed: { ...allFields(node, after), isMember: true },
    removed: { ...allFields(node, before), isMember: false },
  };
}

const joined = (children: readonly (readonly [string, Difference])[]): Difference => ({
  changed: setOf(children.map(([element, child]) => [element, child.changed])),
  removed: setOf(children.map(([element, child]) => [element, child.removed])),
});
