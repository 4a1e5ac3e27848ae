import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import type { ResourceKey } from '../../objects/resource.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { byPlace, placeOf, type Visibility } from '../access/visible-objects.ts';
import { oneOf, text, wholeNumber } from '../requests/query.ts';
import { revisionOf } from '../requests/revision.ts';
import { selectionOf } from '../watch/selection.ts';
import { type ContinueToken, continueText, readContinue } from './continue-token.ts';

export interface ObjectPage {
  readonly objects: readonly KubeObject[];
  /** `metadata` of the list. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * The objects that a query asks for. All pages of a list are of one moment.
 * @throws KubeError `BadRequest`, `Expired`, `Timeout`
 */
export function listObjects(
  store: ObjectStore,
  key: ResourceKey,
  visibility: Visibility,
  query: URLSearchParams,
): ObjectPage {
  const { matches } = selectionOf(query);
  const limit = wholeNumber(query, 'limit') || undefined;
  const token = readContinue(text(query, 'continue'));
  const revision = token?.revision ?? wantedRevision(store, query);
  const all = objectsAt(store, key, visibility, revision);
  const selected = matches === undefined ? all : all.filter(matches);
  const start = token === undefined ? 0 : firstAfter(selected, token);
  const end = limit === undefined ? selected.length : start + limit;
  const objects = selected.slice(start, end);
  const left = selected.length - start - objects.length;
  const last = objects.at(-1);
  if (left <= 0 || last === undefined) return { objects, metadata: metadataOf(revision) };
  const { namespace = '', name } = last.metadata;
  const next = {
    continue: continueText({ revision, namespace, name }),
    ...(matches === undefined ? { remainingItemCount: left } : {}),
  };
  return { objects, metadata: { ...metadataOf(revision), ...next } };
}

const metadataOf = (revision: number) => ({ resourceVersion: String(revision) });

function wantedRevision(store: ObjectStore, query: URLSearchParams): number {
  const asked = revisionOf(text(query, 'resourceVersion'));
  const match = oneOf(query, 'resourceVersionMatch', ['NotOlderThan', 'Exact']);
  if (match !== undefined && asked === undefined) {
    throw new KubeError('BadRequest', 'resourceVersionMatch needs a resourceVersion');
  }
  if (match === 'Exact' && asked === 0) {
    throw new KubeError('BadRequest', 'resourceVersionMatch=Exact needs a resourceVersion above 0');
  }
  const { revision } = store;
  if (asked !== undefined && asked > revision) {
    throw new KubeError('Timeout', `Too large resource version: ${asked}, current: ${revision}`, {
      causes: [
        { reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' },
      ],
      retryAfterSeconds: 1,
    });
  }
  return match === 'Exact' && asked !== undefined ? asked : revision;
}

/** The objects as they were at a revision: those of the present, with what came later undone. */
function objectsAt(
  store: ObjectStore,
  key: ResourceKey,
  visibility: Visibility,
  revision: number,
): readonly KubeObject[] {
  if (revision === store.revision) return visibility.objects();
  const changes = store.changesSince(key, revision).filter((change) => visibility.sees(change));
  if (changes.length === 0) return visibility.objects();
  const objects = new Map(visibility.objects().map((object) => [placeOf(object), object]));
  for (const { object, before } of changes.toReversed()) {
    if (before === undefined) objects.delete(placeOf(object));
    else objects.set(placeOf(before), before);
  }
  return [...objects.values()].sort(byPlace);
}

function firstAfter(objects: readonly KubeObject[], { namespace, name }: ContinueToken): number {
  const last = { apiVersion: '', kind: '', metadata: { namespace, name } };
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const object = objects[middle];
    if (object !== undefined && byPlace(object, last) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
