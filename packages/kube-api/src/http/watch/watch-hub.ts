import { KubeError } from '../../objects/kube-error.ts';
import { type ResourceKey, resourceKey } from '../../objects/resource.ts';
import type { ObjectStore, StoreChange } from '../../store/object-store.ts';
import { ChangeLines } from './event-lines.ts';

export interface Watcher {
  readonly key: ResourceKey;
  /** The only name that it wants to hear of; undefined: of all. */
  readonly name: string | undefined;
  readonly callerName: string;
  tell(change: StoreChange, lines: ChangeLines): void;
  /** The server stops. */
  end(): void;
}

const maxWatchers = 10_000;
const maxWatchersOfCaller = 3_000;

/** Tells watchers what changes in the store. */
export class WatchHub implements Disposable {
  readonly #subscription: Disposable;
  readonly #watchers = new Set<Watcher>();
  /** By resource, and by the name they watch; under '' those of all names. */
  readonly #byName = new Map<ResourceKey, Map<string, Set<Watcher>>>();
  readonly #ofCaller = new Map<string, number>();

  constructor(store: Pick<ObjectStore, 'subscribe'>) {
    this.#subscription = store.subscribe((change) => this.#tell(change));
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** @throws KubeError `TooManyRequests` */
  checkRoom(callerName: string): void {
    const own = this.#ofCaller.get(callerName) ?? 0;
    if (own < maxWatchersOfCaller && this.#watchers.size < maxWatchers) return;
    const most = own < maxWatchersOfCaller ? maxWatchers : maxWatchersOfCaller;
    throw new KubeError('TooManyRequests', `There are ${most} watches already. End some of them.`, {
      retryAfterSeconds: 5,
    });
  }

  add(watcher: Watcher): Disposable {
    const { key, name = '', callerName } = watcher;
    const names = this.#byName.get(key) ?? new Map<string, Set<Watcher>>();
    const group = names.get(name) ?? new Set<Watcher>();
    this.#byName.set(key, names.set(name, group.add(watcher)));
    this.#watchers.add(watcher);
    this.#ofCaller.set(callerName, (this.#ofCaller.get(callerName) ?? 0) + 1);
    return { [Symbol.dispose]: () => this.#remove(watcher) };
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    for (const watcher of this.#watchers) watcher.end();
  }

  #remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    const { key, name = '', callerName } = watcher;
    const names = this.#byName.get(key);
    const group = names?.get(name);
    group?.delete(watcher);
    if (group?.size === 0) names?.delete(name);
    if (names?.size === 0) this.#byName.delete(key);
    const left = (this.#ofCaller.get(callerName) ?? 1) - 1;
    if (left === 0) this.#ofCaller.delete(callerName);
    else this.#ofCaller.set(callerName, left);
  }

  #tell(change: StoreChange): void {
    const names = this.#byName.get(resourceKey(change.resource));
    if (names === undefined) return;
    const lines = new ChangeLines(change);
    for (const watcher of names.get('') ?? []) watcher.tell(change, lines);
    for (const watcher of names.get(change.object.metadata.name) ?? []) watcher.tell(change, lines);
  }
}
