const mebibyte = 1024 * 1024;
const defaultTotalBytes = 512 * mebibyte;
/** Less than this is not counted: small files neither wait nor are waited for. */
const countedFromBytes = mebibyte;

/**
 * Memory for contents that cannot be streamed, shared by all requests. Those that need more than is
 * left wait, first come, first served.
 */
export class MemoryBudget {
  readonly #totalBytes: number;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];
  #freeBytes: number;

  constructor(totalBytes = defaultTotalBytes) {
    this.#totalBytes = totalBytes;
    this.#freeBytes = totalBytes;
  }

  /**
   * Waits until there is room. Disposing gives it back.
   * @returns undefined when `signal` aborts before
   */
  async take(wantedBytes: number, signal?: AbortSignal): Promise<Disposable | undefined> {
    if (wantedBytes < countedFromBytes) return { [Symbol.dispose]: () => undefined };
    const bytes = Math.min(wantedBytes, this.#totalBytes);
    if (this.#waiting.length === 0 && bytes <= this.#freeBytes) this.#freeBytes -= bytes;
    else if (!(await this.#wait(bytes, signal))) return undefined;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#freeBytes += bytes;
        this.#startWaiting();
      },
    };
  }

  /** Resolves to false when `signal` aborts before. */
  #wait(bytes: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        this.#startWaiting();
        resolve(false);
      };
      const start = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(true);
      };
      const waiter = { bytes, start };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #startWaiting(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || next.bytes > this.#freeBytes) return;
      this.#waiting.shift();
      this.#freeBytes -= next.bytes;
      next.start();
    }
  }
}
