import type { SchemaNode } from '../schema/schema-node.ts';
import { emptySet, type FieldSet, leafSet, setOf } from './field-set.ts';
import { checkItems, fieldNode, isGranularList, isGranularObject, itemElement } from './shape.ts';

/**
 * The fields that a config has an opinion about: its values, and the items of its maps and lists.
 * @throws KubeError `BadRequest` for items that cannot be told apart
 */
export function configFields(node: SchemaNode | undefined, value: unknown, path = ''): FieldSet {
  if (isGranularObject(node, value)) {
    return setOf(
      Object.entries(value).map(([field, child]) => {
        const childNode = fieldNode(node, field);
        const fields = configFields(childNode, child, path === '' ? field : `${path}.${field}`);
        const isMember = node?.properties.has(field) !== true || isEmptyHolder(child);
        return [`f:${field}`, isMember ? { ...fields, isMember } : fields];
      }),
    );
  }
  if (isGranularList(node, value)) {
    checkItems(node, value, path);
    return setOf(
      value.map((item, index) => [
        itemElement(node, item),
        { ...configFields(node?.items, item, `${path}[${index}]`), isMember: true },
      ]),
    );
  }
  return leafSet;
}

const isEmptyHolder = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** Every path of a value, with that to itself. */
export function allFields(node: SchemaNode | undefined, value: unknown): FieldSet {
  if (isGranularObject(node, value)) {
    return setOf(
      Object.entries(value).map(([field, child]) => [
        `f:${field}`,
        allFields(fieldNode(node, field), child),
      ]),
      true,
    );
  }
  if (isGranularList(node, value)) {
    return setOf(
      value.map((item) => [itemElement(node, item), allFields(node?.items, item)]),
      true,
    );
  }
  return leafSet;
}

/** The set with the fields that the schema names above its paths, as if they were in it. */
export function withNamedParents(node: SchemaNode | undefined, set: FieldSet): FieldSet {
  if (set.children.size === 0) return set;
  return setOf(
    [...set.children].map(([element, child]) => {
      const isField = element.startsWith('f:');
      const field = element.slice(2);
      const childNode = isField ? fieldNode(node, field) : node?.items;
      const next = withNamedParents(childNode, child);
      const isNamed = isField && node?.properties.has(field) === true;
      return [element, isNamed ? { ...next, isMember: true } : next];
    }),
    set.isMember,
  );
}

/** The value without the fields of the set, but for those that hold others; undefined: nothing. */
export function withoutFields(
  node: SchemaNode | undefined,
  value: unknown,
  set: FieldSet,
): unknown {
  if (isGranularObject(node, value)) {
    const kept: [string, unknown][] = [];
    for (const [field, child] of Object.entries(value)) {
      const below = set.children.get(`f:${field}`) ?? emptySet;
      const rest = withoutFields(fieldNode(node, field), child, below);
      if (rest !== undefined) kept.push([field, rest]);
    }
    return kept.length === 0 && set.isMember ? undefined : Object.fromEntries(kept);
  }
  if (isGranularList(node, value)) {
    const kept = value.flatMap((item) => {
      const below = set.children.get(itemElement(node, item)) ?? emptySet;
      return below.isMember ? [] : [withoutFields(node?.items, item, below)];
    });
    return kept.length === 0 && set.isMember ? undefined : kept;
  }
  return set.isMember ? undefined : value;
}
