import type { InitError } from './init-error.ts';

/** A suspension of a connection that was asked for. */
export class Suspension {
  /** The init has said that it sends nothing more. */
  confirmed = false;
  /** Resolves when nothing is connected any more; nobody has to wait for it. */
  readonly done: Promise<void>;
  /** Resolves when the connection goes on, or is closed. */
  readonly over: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: InitError) => void = () => {};
  #end: () => void = () => {};

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  resolve(): void {
    this.#resolve();
  }

  reject(error: InitError): void {
    this.#reject(error);
  }

  end(): void {
    this.#end();
  }
}

/** The promise, or what `late` makes when that takes longer. */
export async function orAfter<T>(
  timeoutMs: number,
  promise: Promise<T>,
  late: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
