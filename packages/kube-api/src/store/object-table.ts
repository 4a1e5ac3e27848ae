/** What is kept of an object across restarts. */
export interface StoredObject {
  /** As {@link resourceKey}. */
  readonly resource: string;
  /** Empty for an object without a namespace. */
  readonly namespace: string;
  readonly name: string;
  /** JSON of the object in its storage version. */
  readonly object: string;
}

/** The port to what remembers objects. One writer. Calls are synchronous and durable. */
export interface ObjectTable {
  /** Highest revision that any object, kept or not, may have had. */
  revision(): number;
  /** To be called before a revision above the last one reserved is given out. */
  reserve(revision: number): void;
  all(): readonly StoredObject[];
  set(object: StoredObject): void;
  delete(key: Omit<StoredObject, 'object'>): void;
}
