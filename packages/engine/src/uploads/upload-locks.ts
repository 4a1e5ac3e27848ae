import { SandportFault } from '@sandport/protocol';

/** How long a request may be without a byte until another one takes its upload, in milliseconds. */
const silentMs = 1_000;

/** One request's hold on an upload. */
export interface UploadLock {
  /** The request has got bytes: nobody else takes the upload for a while. */
  touch(): void;
  /** Tells how to stop what is under way; undefined while it must not be stopped. */
  stoppedBy(stop: (() => void) | undefined): void;
  release(): void;
}

interface Holder {
  touchedAt: number;
  stop: (() => void) | undefined;
  readonly released: Promise<void>;
}

/**
 * One request an upload. A client whose connection broke comes back before the daemon has noticed:
 * so a request that has got nothing for a second is stopped for the sake of the next one.
 */
export class UploadLocks {
  readonly #holders = new Map<string, Holder>();

  isHeld(id: string): boolean {
    return this.#holders.has(id);
  }

  /**
   * Holds an upload. @param force stop also a request that gets bytes
   * @throws SandportFault `upload_conflict` while another request gets bytes
   */
  async take(id: string, options: { force: boolean }): Promise<UploadLock> {
    const lock = await this.tryTake(id, options);
    if (lock !== undefined) return lock;
    throw new SandportFault(
      'upload_conflict',
      'Another request is adding to this upload at this moment.',
      { upload: id },
    );
  }

  /** The same; undefined while another request gets bytes. */
  async tryTake(id: string, options: { force: boolean }): Promise<UploadLock | undefined> {
    for (let holder = this.#holders.get(id); holder !== undefined; holder = this.#holders.get(id)) {
      const isSilent = performance.now() - holder.touchedAt >= silentMs;
      if (holder.stop !== undefined) {
        if (!isSilent && !options.force) return undefined;
        holder.stop();
      }
      await holder.released;
    }
    return this.#hold(id);
  }

  #hold(id: string): UploadLock {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holder: Holder = { touchedAt: performance.now(), stop: undefined, released };
    this.#holders.set(id, holder);
    return {
      touch: () => {
        holder.touchedAt = performance.now();
      },
      stoppedBy: (stop) => {
        holder.stop = stop;
      },
      release: () => {
        if (this.#holders.get(id) === holder) this.#holders.delete(id);
        release();
      },
    };
  }
}
