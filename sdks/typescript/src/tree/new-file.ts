import { closeSync, fchmodSync, futimesSync, rmSync, writeSync } from 'node:fs';
import { utimesSeconds } from '../filesystem/file-time.ts';
import { errnoOf, LocalFileError } from '../errors/client-errors.ts';
import { reason } from '../filesystem/write/local-source.ts';

/** A local file that is written under another name and takes its own when it is finished. */
export class NewFile implements Disposable {
  readonly #descriptor: number;
  readonly #temporary: string;
  readonly #path: string;
  readonly #mode: number | undefined;
  readonly #mtimeNs: bigint;
  readonly #appear: () => void;
  #state: 'open' | 'closed' | 'finished' = 'open';

  constructor(
    descriptor: number,
    temporary: string,
    path: string,
    mode: number | undefined,
    mtimeNs: bigint,
    appear: () => void,
  ) {
    this.#descriptor = descriptor;
    this.#temporary = temporary;
    this.#path = path;
    this.#mode = mode;
    this.#mtimeNs = mtimeNs;
    this.#appear = appear;
  }

  /** @throws LocalFileError */
  write(bytes: Uint8Array): void {
    this.#attempt(() => {
      let at = 0;
      while (at < bytes.byteLength) at += writeSync(this.#descriptor, bytes, at);
    });
  }

  /** Gives the file its mode, where one is still to be set, its time and its name. @throws LocalFileError */
  finish(): void {
    const seconds = utimesSeconds(this.#mtimeNs);
    this.#attempt(() => {
      if (this.#mode !== undefined) fchmodSync(this.#descriptor, this.#mode);
      futimesSync(this.#descriptor, seconds, seconds);
    });
    this.#close();
    this.#appear();
    this.#state = 'finished';
  }

  /** Removes what is not finished. */
  [Symbol.dispose](): void {
    if (this.#state === 'finished') return;
    this.#close();
    rmSync(this.#temporary, { force: true });
    this.#state = 'finished';
  }

  #close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    closeSync(this.#descriptor);
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause;
      throw new LocalFileError(
        `The local ${this.#path} cannot be written: ${reason(cause)}.`,
        this.#path,
        cause,
      );
    }
  }
}
