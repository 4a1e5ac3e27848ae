/** How many are tried when room has come. */
const atOnce = 2;

/** Sandboxes for which there was no room. Namespaces take turns; in each the oldest is first. */
export class WaitingForRoom {
  readonly #waiting = new Map<string, Set<string>>();

  add(namespace: string, key: string): void {
    const keys = this.#waiting.get(namespace);
    if (keys === undefined) this.#waiting.set(namespace, new Set([key]));
    else keys.add(key);
  }

  delete(key: string): void {
    const namespace = key.slice(0, key.indexOf('/'));
    const keys = this.#waiting.get(namespace);
    keys?.delete(key);
    if (keys?.size === 0) this.#waiting.delete(namespace);
  }

  /** Those to be tried: of each namespace the first ones, as what came free may be its alone. */
  next(): string[] {
    return [...this.#waiting.values()].flatMap((keys) => [...keys].slice(0, atOnce));
  }
}
