import type { KubeObject } from '../../objects/kube-object.ts';
import { groupVersion } from '../../objects/resource.ts';
import type { ChangeType, StoreChange } from '../../store/object-store.ts';
import { represent, type View } from '../answers/represent.ts';

export type EventType = ChangeType | 'BOOKMARK' | 'ERROR';

/** One line of a watch. */
export const eventLine = (type: EventType, json: string): string =>
  `{"type":"${type}","object":${json}}\n`;

export const objectLine = (view: View, type: EventType, object: KubeObject): string =>
  eventLine(type, JSON.stringify(represent(view, object)));

/** Says up to where a watch has told everything. */
export function bookmarkLine(view: View, revision: number, isEndOfInitial: boolean): string {
  const { resource, version } = view.served;
  return objectLine(view, 'BOOKMARK', {
    apiVersion: groupVersion(resource.group, version.name),
    kind: resource.kind,
    metadata: {
      name: '',
      resourceVersion: String(revision),
      ...(isEndOfInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  });
}

/** The lines of one change, each made once for all who see it the same way. */
export class ChangeLines {
  readonly #change: StoreChange;
  readonly #lines = new Map<string, string>();

  constructor(change: StoreChange) {
    this.#change = change;
  }

  /** `type` is what the change is to the watcher, to whom an object may enter or leave a selection. */
  line(view: View, type: ChangeType): string {
    const key = `${view.served.version.name} ${view.form} ${view.includeObject} ${type}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = objectLine(view, type, objectOf(this.#change, type));
      this.#lines.set(key, line);
    }
    return line;
  }
}

/** Of an object that leaves a selection: as it was selected last, with the revision at which it left. */
function objectOf({ type, object, before }: StoreChange, seen: ChangeType): KubeObject {
  if (seen !== 'DELETED' || type === 'DELETED' || before === undefined) return object;
  const { resourceVersion } = object.metadata;
  if (resourceVersion === undefined) return before;
  return { ...before, metadata: { ...before.metadata, resourceVersion } };
}
