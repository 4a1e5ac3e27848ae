import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../errors/api-errors.ts';
import { NetworkError, TimeoutError } from '../errors/client-errors.ts';
import { SandportError } from '../errors/sandport-error.ts';

/** An interrupted transfer that is about to be taken up again. */
export interface TransferRetry {
  /** What interrupted it. */
  readonly error: SandportError;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
}

export type OnRetry = (retry: TransferRetry) => void;

/** How long a transfer tries to go on without getting further. */
const patienceMs = 60_000;
const firstDelayMs = 100;
const longestDelayMs = 5_000;

/**
 * How often and how long an interrupted transfer is taken up again: with growing pauses, until it
 * has not got further for a minute.
 */
export class Patience {
  readonly #onRetry: OnRetry | undefined;
  readonly #limitMs: number;
  #lastProgress = performance.now();
  #delayMs = firstDelayMs;

  /** @param onRetry called before each pause */
  constructor(onRetry: OnRetry | undefined, limitMs = patienceMs) {
    this.#onRetry = onRetry;
    this.#limitMs = limitMs;
  }

  /** The transfer got further. */
  progress(): void {
    this.#lastProgress = performance.now();
    this.#delayMs = firstDelayMs;
  }

  /**
   * Waits before the next attempt.
   * @throws the failure when it is no interruption or the time is over; the signal's reason
   */
  async pause(failure: unknown, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!isInterruption(failure)) throw failure;
    if (performance.now() - this.#lastProgress > this.#limitMs) throw failure;
    // Clients that were interrupted together do not come back together.
    const delayMs = this.#delayMs * (0.75 + Math.random() / 2);
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    this.#onRetry?.({ error: failure, delayMs });
    await sleep(delayMs, undefined, signal && { signal }).catch(() => {});
    signal?.throwIfAborted();
  }
}

/** Locked by a request that the daemon has not yet seen to be broken; checksum that does not fit. */
const passingStatuses = new Set([423, 460]);

/** True for what may be otherwise the next time: the connection broke, the daemon restarts. */
export function isInterruption(error: unknown): error is SandportError {
  if (error instanceof NetworkError || error instanceof TimeoutError) return true;
  if (error instanceof UnavailableError) return true;
  if (!(error instanceof SandportError)) return false;
  return (
    passingStatuses.has(error.statusCode ?? 0) ||
    error.code === 'digest_mismatch' ||
    error.code === 'incomplete_body' ||
    error.code === 'upload_conflict' ||
    error.code === 'request_timeout'
  );
}
