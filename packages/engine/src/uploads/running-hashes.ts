import { createHash, type Hash } from 'node:crypto';

interface RunningHash {
  hash: Hash;
  /** Bytes from the start of the file that are in it. */
  bytes: number;
}

/**
 * SHA-256 of files whose bytes come in order, in several requests. What is not known (after a
 * restart, or when bytes were lost on their way to the disk) is undefined, and has to be read.
 */
export class RunningHashes {
  readonly #hashes = new Map<string, RunningHash>();

  /** Takes the bytes of one request, which begin at `offset`. */
  begin(id: string, offset: number): (chunk: Buffer) => void {
    const known = this.#hashes.get(id);
    if (offset !== 0 && known?.bytes !== offset) {
      this.forget(id);
      return () => undefined;
    }
    const running: RunningHash = {
      hash: offset === 0 ? createHash('sha256') : (known?.hash.copy() ?? createHash('sha256')),
      bytes: offset,
    };
    this.#hashes.set(id, running);
    return (chunk) => {
      running.hash.update(chunk);
      running.bytes += chunk.length;
    };
  }

  /** Of the first `bytes` bytes. */
  digest(id: string, bytes: number): Buffer | undefined {
    const known = this.#hashes.get(id);
    return known?.bytes === bytes ? known.hash.copy().digest() : undefined;
  }

  forget(id: string): void {
    this.#hashes.delete(id);
  }

  /** Forgets all but those that `isWanted` names. */
  keepOnly(isWanted: (id: string) => boolean): void {
    for (const id of this.#hashes.keys()) if (!isWanted(id)) this.#hashes.delete(id);
  }
}
