import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import { type Resource, type ResourceKey, resourceKey } from '../objects/resource.ts';
import { ChangeHistory } from './change-history.ts';
import { ChangeQueue } from './change-queue.ts';
import { loadObjects } from './load-objects.ts';
import { markedForDeletion, newObject, updatedObject, withRevision } from './next-object.ts';
import type {
  ChangeType,
  ObjectStore,
  RemoveOptions,
  StoreChange,
  UpdateOptions,
  WriteOptions,
} from './object-store.ts';
import type { ObjectTable } from './object-table.ts';
import { foregroundDeletion, GarbageCollector } from './garbage-collector.ts';
import { NamespaceSizes } from './namespace-sizes.ts';
import { Ownership } from './ownership.ts';
import { Revisions } from './revisions.ts';
import { sameObject } from './same-object.ts';
import { Shelves } from './shelves.ts';
import { alreadyExists, checkPreconditions, notFound } from './store-errors.ts';

export interface ObjectStoreOptions {
  readonly resources: readonly Resource[];
  readonly table: ObjectTable;
  /** Changes of each resource that watches can go back to. @default 10000 */
  readonly historySize?: number | undefined;
  /** Is told of objects in the table that cannot be read, and of listeners that throw. */
  readonly log?: ((message: string, fields: Record<string, unknown>) => void) | undefined;
}

/** Loads what the table has. */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  return new TableBackedStore(options);
}

interface Room {
  readonly resource: Resource;
  readonly key: ResourceKey;
  readonly shelves: Shelves;
  readonly history: ChangeHistory;
}

const nameAttempts = 8;

class TableBackedStore implements ObjectStore {
  readonly resources: readonly Resource[];
  readonly #table: ObjectTable;
  readonly #revisions: Revisions;
  readonly #rooms: ReadonlyMap<ResourceKey, Room>;
  readonly #ownership: Ownership;
  readonly #queue: ChangeQueue;
  readonly #sizes = new NamespaceSizes();
  readonly #garbage: GarbageCollector;

  constructor({ resources, table, historySize, log = () => undefined }: ObjectStoreOptions) {
    this.resources = resources;
    this.#table = table;
    this.#revisions = new Revisions(table);
    this.#ownership = new Ownership(resources);
    this.#queue = new ChangeQueue(log);
    this.#garbage = new GarbageCollector(this, this.#ownership, log);
    const floor = this.#revisions.current;
    this.#rooms = new Map(
      resources.map((resource) => [
        resourceKey(resource),
        {
          resource,
          key: resourceKey(resource),
          shelves: new Shelves(),
          history: new ChangeHistory(floor, { maxChanges: historySize }),
        },
      ]),
    );
    for (const { resource, object, length } of loadObjects(table, resources, log)) {
      const { namespace = '', name } = object.metadata;
      this.#room(resourceKey(resource)).shelves.put(namespace, name, object);
      this.#ownership.add(resource, object);
      this.#sizes.put(object, length);
      this.#garbage.judgeLater(object);
    }
  }

  get revision(): number {
    return this.#revisions.current;
  }

  get(resource: ResourceKey, namespace: string, name: string): KubeObject | undefined {
    return this.#room(resource).shelves.get(namespace, name);
  }

  list(resource: ResourceKey, namespace?: string): readonly KubeObject[] {
    return this.#room(resource).shelves.list(namespace);
  }

  count(resource: ResourceKey, namespace?: string): number {
    return this.#room(resource).shelves.count(namespace);
  }

  size(namespace: string): number {
    return this.#sizes.of(namespace);
  }

  changesSince(resource: ResourceKey, revision: number): readonly StoreChange[] {
    return this.#room(resource).history.since(revision);
  }

  subscribe(listener: (change: StoreChange) => void): Disposable {
    return this.#queue.subscribe(listener);
  }

  create(key: ResourceKey, object: KubeObject, { dryRun = false }: WriteOptions = {}): KubeObject {
    const room = this.#room(key);
    const made = this.#withFreeName(room, object);
    if (dryRun) return made;
    return this.#put(room, made, undefined);
  }

  update(key: ResourceKey, written: KubeObject, options: UpdateOptions = {}): KubeObject {
    const room = this.#room(key);
    const { namespace = '', name } = written.metadata;
    const stored = this.#stored(room, namespace, name);
    checkPreconditions(room.resource, stored, written.metadata);
    const next = updatedObject(stored, written, options);
    if (sameObject(stored, next)) return stored;
    if (options.dryRun === true) return next;
    if (next.metadata.deletionTimestamp !== undefined && !hasFinalizers(next)) {
      return this.#take(room, stored, next);
    }
    return this.#put(room, next, stored);
  }

  remove(
    key: ResourceKey,
    namespace: string,
    name: string,
    options: RemoveOptions = {},
  ): KubeObject {
    const room = this.#room(key);
    const stored = this.#stored(room, namespace, name);
    checkPreconditions(room.resource, stored, options);
    const { propagation = 'Background', dryRun = false } = options;
    if (dryRun) return stored;
    if (propagation === 'Orphan') this.#garbage.orphanDependents(stored);
    const waits =
      propagation === 'Foreground' && this.#garbage.blockingDependents(stored).length > 0;
    const finalizers = [...(stored.metadata.finalizers ?? [])];
    if (waits && !finalizers.includes(foregroundDeletion)) finalizers.push(foregroundDeletion);
    if (finalizers.length === 0) return this.#take(room, stored, stored);

    const marked = markedForDeletion(stored, finalizers);
    const left = sameObject(stored, marked) ? stored : this.#put(room, marked, stored);
    if (waits) this.#garbage.removeDependents(stored);
    return this.get(key, namespace, name) ?? left;
  }

  #room(key: ResourceKey): Room {
    const room = this.#rooms.get(key);
    if (room === undefined) throw new TypeError(`There is no resource ${key} in this store.`);
    return room;
  }

  #stored({ resource, shelves }: Room, namespace: string, name: string): KubeObject {
    const stored = shelves.get(namespace, name);
    if (stored === undefined) throw notFound(resource, name);
    return stored;
  }

  #withFreeName({ resource, shelves }: Room, object: KubeObject): KubeObject {
    const isGiven = object.metadata.name !== '' && object.metadata.name !== undefined;
    for (let attempt = 1; ; attempt += 1) {
      const made = newObject(object, resource.namespaced);
      const { namespace = '', name } = made.metadata;
      if (name === '') throw new KubeError('Invalid', 'name or generateName is required');
      if (shelves.get(namespace, name) === undefined) return made;
      if (isGiven || attempt === nameAttempts) throw alreadyExists(resource, name);
    }
  }

  #put(room: Room, unnumbered: KubeObject, before: KubeObject | undefined): KubeObject {
    const revision = this.#revisions.next();
    const object = withRevision(unnumbered, revision);
    const { namespace = '', name } = object.metadata;
    const text = JSON.stringify(object);
    if (room.resource.persistent) {
      this.#table.set({ resource: room.key, namespace, name, object: text });
    }
    room.shelves.put(namespace, name, object);
    if (before !== undefined) this.#forget(before);
    this.#ownership.add(room.resource, object);
    this.#sizes.put(object, text.length);
    if (before?.metadata.ownerReferences !== object.metadata.ownerReferences) {
      this.#garbage.judgeLater(object);
    }
    const type = before === undefined ? 'ADDED' : 'MODIFIED';
    this.#announce(room, { type, object, before, revision, sizeBytes: text.length });
    return object;
  }

  #take(room: Room, before: KubeObject, last: KubeObject): KubeObject {
    const revision = this.#revisions.next();
    const object = withRevision(last, revision);
    const { namespace = '', name } = object.metadata;
    if (room.resource.persistent) this.#table.delete({ resource: room.key, namespace, name });
    room.shelves.take(namespace, name);
    this.#forget(before);
    const sizeBytes = JSON.stringify(object).length;
    this.#announce(room, { type: 'DELETED', object, before, revision, sizeBytes });
    this.#garbage.collectAfter(object);
    return object;
  }

  #forget(object: KubeObject): void {
    this.#ownership.remove(object);
    this.#sizes.take(object);
  }

  #announce({ resource, history }: Room, { sizeBytes, ...change }: SizedChange): void {
    const full = { ...change, resource };
    history.add(full, sizeBytes);
    this.#queue.add(full);
  }
}

interface SizedChange {
  readonly type: ChangeType;
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
  readonly revision: number;
  readonly sizeBytes: number;
}

const hasFinalizers = ({ metadata }: KubeObject): boolean => (metadata.finalizers ?? []).length > 0;
