import type { KubeObject } from '../objects/kube-object.ts';

/** How much the objects of each namespace take, in characters of JSON. */
export class NamespaceSizes {
  readonly #ofObject = new WeakMap<KubeObject, number>();
  readonly #ofNamespace = new Map<string, number>();

  of(namespace: string): number {
    return this.#ofNamespace.get(namespace) ?? 0;
  }

  /** @param length of the JSON of `object` */
  put(object: KubeObject, length: number): void {
    this.#ofObject.set(object, length);
    this.#grow(object, length);
  }

  take(object: KubeObject): void {
    this.#grow(object, -(this.#ofObject.get(object) ?? 0));
  }

  #grow({ metadata: { namespace = '' } }: KubeObject, by: number): void {
    const size = this.of(namespace) + by;
    if (size === 0) this.#ofNamespace.delete(namespace);
    else this.#ofNamespace.set(namespace, size);
  }
}
