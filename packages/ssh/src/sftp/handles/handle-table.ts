import type { HeldFile, WalkedEntry } from '@sandport/driver';
import type { Budget } from './budget.ts';

/** What a client has open. */
export type Handle = FileHandle | DirectoryHandle;

export interface FileHandle {
  readonly kind: 'file';
  readonly file: HeldFile;
  readonly path: string;
  /** Writes of one file come one after the other, as they were sent. Never rejects. */
  lastWrite: Promise<void>;
}

export interface DirectoryHandle {
  readonly kind: 'directory';
  readonly path: string;
  readonly entries: AsyncIterator<WalkedEntry>;
  /** The next one, which was read to see whether the directory is there. */
  first: IteratorResult<WalkedEntry> | undefined;
  /** `.` and `..` were told. */
  hasBegun: boolean;
}

/** The handles of one channel. Their names are numbers; those of other channels mean nothing here. */
export class HandleTable {
  readonly #budget: Budget;
  readonly #handles = new Map<number, Handle>();
  #next = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Opens one more; undefined when too many are open. */
  async open(make: () => Promise<Handle>): Promise<Buffer | undefined> {
    if (!this.#budget.take()) return undefined;
    try {
      const handle = await make();
      this.#next = (this.#next + 1) >>> 0;
      this.#handles.set(this.#next, handle);
      const name = Buffer.allocUnsafe(4);
      name.writeUInt32BE(this.#next);
      return name;
    } catch (error) {
      this.#budget.give();
      throw error;
    }
  }

  get(name: Buffer): Handle | undefined {
    return name.length === 4 ? this.#handles.get(name.readUInt32BE(0)) : undefined;
  }

  /** False: there is no such handle. */
  async close(name: Buffer): Promise<boolean> {
    const handle = this.get(name);
    if (handle === undefined) return false;
    this.#handles.delete(name.readUInt32BE(0));
    this.#budget.give();
    await release(handle);
    return true;
  }

  async closeAll(): Promise<void> {
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    for (const handle of handles) {
      this.#budget.give();
      await release(handle).catch(() => undefined);
    }
  }
}

async function release(handle: Handle): Promise<void> {
  if (handle.kind === 'file') await handle.file.close();
  else await handle.entries.return?.();
}
