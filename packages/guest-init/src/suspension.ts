import type { InitError } from './init-error.ts';

/** A suspension that was asked for. */
export interface Suspension {
  /** The init has said that it sends nothing more. */
  confirmed: boolean;
  readonly resolve: () => void;
  readonly reject: (error: InitError) => void;
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

/** What a suspension waits for; nobody has to. */
export function suspensionPromise() {
  let resolve: () => void = () => {};
  let reject: (error: InitError) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
