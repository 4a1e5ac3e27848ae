import { type ObjectStore, resourceKey, type StoreChange } from '@sandport/kube-api';
import { keys } from '../../resources/keys.ts';
import { removeIfThere } from '../status/write-status.ts';

/** Kinds whose objects go with their namespace. What is derived from them goes with them. */
const contents = [
  keys.claims,
  keys.sandboxes,
  keys.warmPools,
  keys.templates,
  keys.gateways,
  keys.events,
];

/** Empties namespaces that are deleted. */
export class NamespaceController {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  onChange({ type, resource, object }: StoreChange): void {
    if (type !== 'DELETED' || resourceKey(resource) !== keys.namespaces) return;
    const { name } = object.metadata;
    // The store is in the middle of telling of this change.
    queueMicrotask(() => {
      for (const kind of contents)
        for (const each of this.#store.list(kind, name)) removeIfThere(this.#store, kind, each);
    });
  }
}
