/** Most that one log keeps, and the longest line, in characters. */
const maxChars = 256 * 1024;
const maxLineChars = 2000;

/** The lines of a build, the latest ones, for those who come late and those who follow. */
export class BuildLog {
  #lines: string[] = [];
  #chars = 0;
  /** Number of the first line that is kept. */
  #first = 0;
  #ended = false;
  readonly #waiting = new Set<() => void>();

  push(line: string): void {
    const short = line.slice(0, maxLineChars);
    this.#lines.push(short);
    this.#chars += short.length;
    let drop = 0;
    while (this.#chars > maxChars) this.#chars -= this.#lines[drop++]?.length ?? 0;
    // Seldom, because every line that stays is moved.
    if (drop > 0) {
      while (drop < this.#lines.length && this.#chars > maxChars * 0.75)
        this.#chars -= this.#lines[drop++]?.length ?? 0;
      this.#lines = this.#lines.slice(drop);
      this.#first += drop;
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** All lines that are kept, and those that come, until the build or the signal ends. */
  async *follow(signal: AbortSignal): AsyncGenerator<string> {
    let next = 0;
    for (;;) {
      if (next < this.#first) {
        yield `… ${this.#first - next} lines are no longer kept`;
        next = this.#first;
      }
      const line = this.#lines[next - this.#first];
      if (signal.aborted) return;
      if (line !== undefined) {
        next += 1;
        yield line;
      } else if (this.#ended) return;
      else await this.#more(signal);
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
