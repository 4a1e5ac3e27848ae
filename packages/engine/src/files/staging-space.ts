import { SandportFault } from '@sandport/protocol';

/** Each file takes two descriptors until it appears. */
const defaultFiles = 4096;

/** How many files may wait to appear together, of all batches at one time. */
export class StagingSpace {
  readonly #files: number;
  #taken = 0;

  constructor(files = defaultFiles) {
    this.#files = files;
  }

  /** @throws SandportFault `limit_reached` */
  take(): void {
    if (this.#taken >= this.#files)
      throw new SandportFault(
        'limit_reached',
        `At most ${this.#files} files can be written all or none at one time; send fewer, or use \`mode=each\`.`,
        { limit: this.#files },
      );
    this.#taken += 1;
  }

  release(count: number): void {
    this.#taken -= count;
  }
}
