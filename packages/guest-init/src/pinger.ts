import { InitError } from './init-error.ts';

/** Between the answer to a ping and the next one. */
const INTERVAL_MS = 5_000;
/** An init that does not answer for so long is unresponsive. */
const SILENCE_MS = 10_000;
/** Pings under way at one time. */
const PENDING_MAX = 64;
/**
 * After a deadline, input that came while this process itself did not run is still looked at for
 * so long.
 */
const LATE_MS = 100;

interface Pending {
  readonly sentAtMs: number;
  readonly resolve: (roundTripMs: number) => void;
  readonly reject: (error: InitError) => void;
}

/** Asks the init for signs of life. */
export class Pinger {
  readonly #send: (value: bigint) => void;
  readonly #onSilent: () => void;
  readonly #pending = new Map<bigint, Pending>();
  #last = 0n;
  /** Identifies the watch under way; undefined while there is none. */
  #watch: symbol | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (value: bigint) => void, onSilent: () => void) {
    this.#send = send;
    this.#onSilent = onSilent;
  }

  /**
   * Resolves to the round trip in milliseconds.
   * @throws InitError `unresponsive`
   */
  ping(timeoutMs: number): Promise<number> {
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.reject(new InitError('unresponsive', 'too many pings are unanswered'));
    }
    const value = ++this.#last;
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        if (this.#pending.delete(value)) action();
      };
      const giveUp = () => {
        const message = `the init did not answer within ${timeoutMs} ms`;
        settle(() => reject(new InitError('unresponsive', message)));
      };
      let timer = setTimeout(() => {
        timer = setTimeout(giveUp, LATE_MS);
      }, timeoutMs);
      this.#pending.set(value, {
        sentAtMs: performance.now(),
        resolve: (roundTripMs) => settle(() => resolve(roundTripMs)),
        reject: (error) => settle(() => reject(error)),
      });
      this.#send(value);
    });
  }

  /** False when nobody asked for this answer. */
  pong(value: bigint): boolean {
    if (value < 1n || value > this.#last) return false;
    const pending = this.#pending.get(value);
    pending?.resolve(performance.now() - pending.sentAtMs);
    return true;
  }

  /** Pings now and then until {@link unwatch}. */
  watch(): void {
    if (this.#watch !== undefined) return;
    this.#watch = Symbol('watch');
    this.#schedule(this.#watch);
  }

  unwatch(): void {
    this.#watch = undefined;
    clearTimeout(this.#timer);
  }

  /** Every ping under way gets the error. */
  close(error: InitError): void {
    this.unwatch();
    for (const pending of this.#pending.values()) pending.reject(error);
  }

  #schedule(watch: symbol): void {
    this.#timer = setTimeout(() => {
      this.ping(SILENCE_MS).then(
        () => {
          if (this.#watch === watch) this.#schedule(watch);
        },
        () => {
          if (this.#watch !== watch) return;
          this.#watch = undefined;
          this.#onSilent();
        },
      );
    }, INTERVAL_MS).unref();
  }
}
