import type { KubeObject } from '../../objects/kube-object.ts';
import { parseFieldSelector } from '../../selectors/field-selector.ts';
import { type ObjectFilter, parseLabelSelector } from '../../selectors/label-selector.ts';
import type { ChangeType, StoreChange } from '../../store/object-store.ts';

/** The objects that a query asks for. */
export interface Selection {
  /** Undefined: all. */
  readonly matches: ObjectFilter | undefined;
  /** The one name that is asked for, if it is one. */
  readonly name: string | undefined;
}

/** @throws KubeError `BadRequest` */
export function selectionOf(query: URLSearchParams): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  return { matches: both(labels, fields.matches), name: fields.name };
}

function both(
  first: ObjectFilter | undefined,
  second: ObjectFilter | undefined,
): ObjectFilter | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (object: KubeObject) => first(object) && second(object);
}

/** What a change is to somebody who sees selected objects only; undefined: nothing. */
export function typeFor(
  { type, object, before }: StoreChange,
  matches: ObjectFilter | undefined,
): ChangeType | undefined {
  if (matches === undefined) return type;
  const was = before !== undefined && matches(before);
  if (type === 'DELETED') return was ? 'DELETED' : undefined;
  const is = matches(object);
  if (was) return is ? 'MODIFIED' : 'DELETED';
  return is ? 'ADDED' : undefined;
}
