import type { ObjectTable, StoredObject } from '../store/object-table.ts';

/** Remembers objects as a disk would, for as many stores as a test opens one after the other. */
export class MemoryTable implements ObjectTable {
  readonly rows = new Map<string, StoredObject>();
  reserved = 0;
  /** The next writes fail, as on a full disk. */
  broken = false;

  revision(): number {
    return this.reserved;
  }

  reserve(revision: number): void {
    this.#check();
    this.reserved = Math.max(this.reserved, revision);
  }

  all(): readonly StoredObject[] {
    return [...this.rows.values()];
  }

  set(object: StoredObject): void {
    this.#check();
    this.rows.set(keyOf(object), object);
  }

  delete(key: Omit<StoredObject, 'object'>): void {
    this.#check();
    this.rows.delete(keyOf(key));
  }

  #check(): void {
    if (this.broken) throw new Error('the disk is full');
  }
}

const keyOf = ({ resource, namespace, name }: Omit<StoredObject, 'object'>): string =>
  `${resource}/${namespace}/${name}`;
