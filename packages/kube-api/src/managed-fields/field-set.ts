/**
 * A set of paths to fields. A child is named as in FieldsV1: `f:NAME` is a field, `k:{…}` an item of
 * a list by its keys, `v:…` an item by its value, `i:N` one by its place.
 */
export interface FieldSet {
  /** Whether the path to here is in the set itself, not only longer ones. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet: FieldSet = { isMember: false, children: noChildren };
/** The path to here and nothing below. */
export const leafSet: FieldSet = { isMember: true, children: noChildren };

export const isEmpty = ({ isMember, children }: FieldSet): boolean =>
  !isMember && children.size === 0;

/** A set of these children; empty ones are left out. */
export function setOf(children: Iterable<readonly [string, FieldSet]>, isMember = false): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [element, child] of children) if (!isEmpty(child)) kept.set(element, child);
  return { isMember, children: kept };
}

/** What is in either of both. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmpty(left)) return right;
  if (isEmpty(right)) return left;
  const children = new Map(left.children);
  for (const [element, child] of right.children) {
    children.set(element, union(children.get(element) ?? emptySet, child));
  }
  return { isMember: left.isMember || right.isMember, children };
}

/** What is in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const children: [string, FieldSet][] = [];
  for (const [element, child] of left.children) {
    const other = right.children.get(element);
    if (other !== undefined) children.push([element, intersection(child, other)]);
  }
  return setOf(children, left.isMember && right.isMember);
}

/** What is in the first and not in the second. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmpty(right)) return left;
  const children: [string, FieldSet][] = [];
  for (const [element, child] of left.children) {
    children.push([element, difference(child, right.children.get(element) ?? emptySet)]);
  }
  return setOf(children, left.isMember && !right.isMember);
}

/** Longer paths are cut: they have values of clients in them. */
const maxPathLength = 512;

/** The paths of a set as people read them: `.spec.ports[name="a"].number`. */
export function pathTexts(set: FieldSet, limit: number): readonly string[] {
  const texts: string[] = [];
  const walk = ({ isMember, children }: FieldSet, path: string): void => {
    if (texts.length >= limit) return;
    if (isMember) texts.push(path);
    for (const [element, child] of children) {
      walk(child, (path + elementText(element)).slice(0, maxPathLength));
    }
  };
  walk(set, '');
  return texts;
}

function elementText(element: string): string {
  const value = element.slice(2);
  if (element.startsWith('f:')) return `.${value}`;
  if (element.startsWith('v:')) return `[=${value}]`;
  if (element.startsWith('i:')) return `[${value}]`;
  const keys: unknown = JSON.parse(value);
  const pairs = Object.entries(keys ?? {});
  return `[${pairs.map(([key, text]) => `${key}=${JSON.stringify(text)}`).join(',')}]`;
}
