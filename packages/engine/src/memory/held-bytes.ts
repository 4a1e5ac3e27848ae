import { totalmem } from 'node:os';
import { SandportFault } from '@sandport/protocol';
import type { Principal } from '../principal.ts';

export interface HeldBytesOptions {
  /** Most bytes for the requests of one key. @default one part in 32 of the machine's memory */
  readonly keyLimitBytes?: number;
  /** Most bytes for all requests. @default four times as many */
  readonly limitBytes?: number;
}

/**
 * Counts what requests hold in memory as a whole: bodies of JSON, and output of commands that is
 * answered at once. Each is bounded by itself; this bounds them together, so that a key with many
 * requests at one time fills neither the memory of the daemon nor what others may use of it.
 */
export class HeldBytes {
  readonly #keyLimitBytes: number;
  readonly #limitBytes: number;
  readonly #byKey = new Map<string, number>();
  #total = 0;

  constructor({ keyLimitBytes = Math.floor(totalmem() / 32), limitBytes }: HeldBytesOptions = {}) {
    this.#keyLimitBytes = keyLimitBytes;
    this.#limitBytes = limitBytes ?? 4 * keyLimitBytes;
  }

  /** What one request holds: nothing yet. */
  share({ keyId }: Pick<Principal, 'keyId'>): HeldShare {
    return new HeldShare((bytes) => this.#change(keyId, bytes));
  }

  #change(keyId: string, bytes: number): void {
    const held = (this.#byKey.get(keyId) ?? 0) + bytes;
    if (bytes > 0) {
      if (held > this.#keyLimitBytes) throw tooMany('this key', this.#keyLimitBytes);
      if (this.#total + bytes > this.#limitBytes) throw tooMany('all keys', this.#limitBytes);
    }
    this.#total += bytes;
    if (held > 0) this.#byKey.set(keyId, held);
    else this.#byKey.delete(keyId);
  }
}

/** What one request holds; it holds nothing any more when this is disposed of. */
export class HeldShare implements Disposable {
  readonly #change: (bytes: number) => void;
  #bytes = 0;
  #isOver = false;

  /** @param change counts bytes that are more, or less; throws where there is no room for more */
  constructor(change: (bytes: number) => void) {
    this.#change = change;
  }

  /** @throws SandportFault `limit_reached` */
  take(bytes: number): void {
    if (this.#isOver) return;
    this.#change(bytes);
    this.#bytes += bytes;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#change(-this.#bytes);
    this.#bytes = 0;
  }
}

const tooMany = (whose: string, limit: number): SandportFault =>
  new SandportFault(
    'limit_reached',
    `The requests of ${whose} that run at this moment hold ${limit} bytes of input and output in memory: send fewer at one time, follow output with \`…/exec/stream\`, or keep it with \`background\`.`,
    { limit, resource: 'memory of requests' },
  );
