const tilde = 0x7e;
const dot = 0x2e;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/**
 * Finds `~.` at the beginning of a line among the keys that are pressed, which leaves the terminal;
 * `~~` is one tilde.
 */
export class EscapeKeys {
  #lineBegins = true;
  #held = false;

  /** @returns what goes to the terminal, and whether it is left behind that */
  take(keys: Uint8Array): { readonly bytes: Uint8Array; readonly left: boolean } {
    const bytes: number[] = [];
    for (const key of keys) {
      if (this.#held) {
        this.#held = false;
        if (key === dot) return { bytes: Uint8Array.from(bytes), left: true };
        bytes.push(tilde);
        this.#lineBegins = false;
        if (key === tilde) continue;
      } else if (this.#lineBegins && key === tilde) {
        this.#held = true;
        continue;
      }
      bytes.push(key);
      this.#lineBegins = key === carriageReturn || key === lineFeed;
    }
    return { bytes: Uint8Array.from(bytes), left: false };
  }
}
