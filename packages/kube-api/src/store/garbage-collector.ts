import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectPlace, Ownership } from './ownership.ts';

/** How many objects are judged in one turn of the event loop. */
const batchSize = 200;
/** Finalizer of an object that waits for what it owns. */
export const foregroundDeletion = 'foregroundDeletion';

/** Sees to it that objects go with their owners. */
export class GarbageCollector {
  readonly #store: ObjectStore;
  readonly #ownership: Ownership;
  readonly #log: (message: string, fields: Record<string, unknown>) => void;
  /** Ids of objects to be judged. */
  readonly #waiting = new Set<string>();
  #scheduled = false;
  #working = false;

  constructor(
    store: ObjectStore,
    ownership: Ownership,
    log: (message: string, fields: Record<string, unknown>) => void,
  ) {
    this.#store = store;
    this.#ownership = ownership;
    this.#log = log;
  }

  /** In a later turn of the event loop: are its owners there? */
  judgeLater({ metadata: { uid, ownerReferences = [] } }: KubeObject): void {
    if (uid === undefined || ownerReferences.length === 0) return;
    this.#waiting.add(uid);
    this.#schedule();
  }

  /** To be called when an object has gone: what it owned goes too, the first ones at once. */
  collectAfter(gone: KubeObject): void {
    for (const place of this.#ownership.dependents(gone)) {
      const { uid } = this.#object(place)?.metadata ?? {};
      if (uid !== undefined) this.#waiting.add(uid);
    }
    this.#releaseOwners(gone);
    if (this.#waiting.size > 0) this.#work();
  }

  /** The objects for which an owner that is deleted in the foreground waits. */
  blockingDependents(owner: KubeObject): readonly ObjectPlace[] {
    return this.#ownership
      .dependents(owner)
      .filter((place) =>
        this.#object(place)?.metadata.ownerReferences?.some(
          ({ uid, blockOwnerDeletion }) =>
            uid === owner.metadata.uid && blockOwnerDeletion === true,
        ),
      );
  }

  removeDependents(owner: KubeObject): void {
    for (const { key, namespace, name } of this.#ownership.dependents(owner)) {
      if (this.#store.get(key, namespace, name) === undefined) continue;
      this.#store.remove(key, namespace, name, { propagation: 'Foreground' });
    }
  }

  /** What it owns shall stay when it goes. */
  orphanDependents(owner: KubeObject): void {
    for (const place of this.#ownership.dependents(owner)) {
      const object = this.#object(place);
      if (object !== undefined) this.#disown(place, object, owner.metadata.uid ?? '');
    }
  }

  #object({ key, namespace, name }: ObjectPlace): KubeObject | undefined {
    return this.#store.get(key, namespace, name);
  }

  #disown({ key }: ObjectPlace, object: KubeObject, ownerUid: string): void {
    const { ownerReferences = [] } = object.metadata;
    this.#write(key, object, {
      ownerReferences: ownerReferences.filter(({ uid }) => uid !== ownerUid),
    });
  }

  #write(key: string, object: KubeObject, metadata: Partial<KubeObject['metadata']>): void {
    this.#store.update(key, { ...object, metadata: { ...object.metadata, ...metadata } });
  }

  /** Owners that waited for this object, and now wait for none, may go. */
  #releaseOwners(gone: KubeObject): void {
    for (const { uid } of gone.metadata.ownerReferences ?? []) {
      const place = this.#ownership.place(uid);
      const owner = place === undefined ? undefined : this.#object(place);
      const finalizers = owner?.metadata.finalizers ?? [];
      if (place === undefined || owner === undefined) continue;
      if (!finalizers.includes(foregroundDeletion)) continue;
      if (this.blockingDependents(owner).length > 0) continue;
      this.#write(place.key, owner, {
        finalizers: finalizers.filter((each) => each !== foregroundDeletion),
      });
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#work();
    });
  }

  #work(): void {
    if (this.#working) return;
    this.#working = true;
    let left = batchSize;
    try {
      for (const uid of this.#waiting) {
        if (left === 0) break;
        left -= 1;
        this.#waiting.delete(uid);
        this.#judge(uid);
      }
    } finally {
      this.#working = false;
    }
    if (this.#waiting.size > 0) this.#schedule();
  }

  #judge(uid: string): void {
    const place = this.#ownership.place(uid);
    const object = place === undefined ? undefined : this.#object(place);
    if (place === undefined || object === undefined) return;
    const fate = this.#ownership.fate(object);
    try {
      if (fate.type === 'collect' && object.metadata.deletionTimestamp === undefined) {
        this.#store.remove(place.key, place.namespace, place.name);
      } else if (fate.type === 'trim') {
        this.#write(place.key, object, { ownerReferences: fate.owners });
      }
    } catch (error) {
      if (error instanceof KubeError) return;
      this.#log('An object without its owner could not be removed', {
        resource: place.key,
        namespace: place.namespace,
        name: place.name,
        error: String(error),
      });
    }
  }
}
