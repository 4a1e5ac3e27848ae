import type { KeptOwner } from './kept-owner.ts';
import { KeptProcess } from './kept-process.ts';

/** The kept commands of one sandbox, whatever connection and channel they have. */
export class KeptProcesses {
  readonly #processes = new Map<string, KeptProcess>();

  /** Makes a command known before an init tells of it: one that an earlier daemon has started. */
  add(owner: KeptOwner): KeptProcess {
    const process = new KeptProcess(owner);
    this.#processes.set(owner.key, process);
    return process;
  }

  find(key: string): KeptProcess | undefined {
    return this.#processes.get(key);
  }

  /** An init that tells of it is told to end it. */
  delete(key: string): void {
    this.#processes.delete(key);
  }

  [Symbol.iterator](): IterableIterator<KeptProcess> {
    return this.#processes.values();
  }
}
