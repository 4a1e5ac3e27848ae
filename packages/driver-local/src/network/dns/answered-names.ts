/** Addresses of one sandbox that are remembered. */
const mostRemembered = 1024;

/** Which names the addresses were the answers for, by the address of the sandbox that asked. */
export class AnsweredNames {
  readonly #names = new Map<string, Map<string, string>>();

  /** Of an address that several names have, the last one is remembered. */
  remember(asker: string, address: string, name: string): void {
    const names = this.#names.get(asker) ?? new Map<string, string>();
    this.#names.set(asker, names);
    names.delete(address);
    names.set(address, name);
    if (names.size <= mostRemembered) return;
    const [oldest] = names.keys();
    if (oldest !== undefined) names.delete(oldest);
  }

  /** The name that the address was last an answer for; undefined when nobody asked for it lately. */
  nameOf(asker: string, address: string): string | undefined {
    return this.#names.get(asker)?.get(address);
  }

  /** The sandbox is gone. */
  forget(asker: string): void {
    this.#names.delete(asker);
  }
}
