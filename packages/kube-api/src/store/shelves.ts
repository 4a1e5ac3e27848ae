import type { KubeObject } from '../objects/kube-object.ts';

interface Shelf {
  readonly objects: Map<string, KubeObject>;
  /** Undefined after a name came or went. */
  names: string[] | undefined;
}

/** The objects of one resource by namespace and name (of resources without namespaces: ''). */
export class Shelves {
  readonly #shelves = new Map<string, Shelf>();
  #size = 0;

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#shelves.get(namespace)?.objects.get(name);
  }

  count(namespace: string | undefined): number {
    if (namespace === undefined) return this.#size;
    return this.#shelves.get(namespace)?.objects.size ?? 0;
  }

  put(namespace: string, name: string, object: KubeObject): void {
    let shelf = this.#shelves.get(namespace);
    if (shelf === undefined) {
      shelf = { objects: new Map(), names: undefined };
      this.#shelves.set(namespace, shelf);
    }
    if (!shelf.objects.has(name)) {
      shelf.names = undefined;
      this.#size += 1;
    }
    shelf.objects.set(name, object);
  }

  take(namespace: string, name: string): void {
    const shelf = this.#shelves.get(namespace);
    if (shelf?.objects.delete(name) !== true) return;
    shelf.names = undefined;
    this.#size -= 1;
    if (shelf.objects.size === 0) this.#shelves.delete(namespace);
  }

  /** In the order of namespace and name. */
  list(namespace: string | undefined): KubeObject[] {
    const namespaces = namespace === undefined ? [...this.#shelves.keys()].sort() : [namespace];
    return namespaces.flatMap((each) => sorted(this.#shelves.get(each)));
  }
}

function sorted(shelf: Shelf | undefined): KubeObject[] {
  if (shelf === undefined) return [];
  const { objects } = shelf;
  shelf.names ??= [...objects.keys()].sort();
  return shelf.names.flatMap((name) => objects.get(name) ?? []);
}
