import type { Database } from './database.ts';

/** An object of the Kubernetes dialect. */
export interface KubeObjectRow {
  /** As `sandboxes.agents.x-k8s.io`. */
  readonly resource: string;
  /** Empty for an object without a namespace. */
  readonly namespace: string;
  readonly name: string;
  /** JSON. */
  readonly object: string;
}

/** The table of objects of the Kubernetes dialect, and of the highest revision given out. */
export class KubeObjectTable {
  readonly #set;
  readonly #delete;
  readonly #all;
  readonly #revision;
  readonly #reserve;

  constructor(database: Database) {
    this.#set = database.prepare('INSERT OR REPLACE INTO kube_objects VALUES (?, ?, ?, ?)');
    this.#delete = database.prepare(
      'DELETE FROM kube_objects WHERE resource = ? AND namespace = ? AND name = ?',
    );
    this.#all = database.prepare('SELECT * FROM kube_objects ORDER BY resource, namespace, name');
    this.#revision = database.prepare('SELECT revision FROM kube_revision');
    this.#reserve = database.prepare('UPDATE kube_revision SET revision = max(revision, ?)');
  }

  all(): KubeObjectRow[] {
    return (this.#all.all() as KubeObjectRow[]).map((row) => ({ ...row }));
  }

  set({ resource, namespace, name, object }: KubeObjectRow): void {
    this.#set.run(resource, namespace, name, object);
  }

  delete({ resource, namespace, name }: Omit<KubeObjectRow, 'object'>): void {
    this.#delete.run(resource, namespace, name);
  }

  /** Highest revision that was reserved. */
  revision(): number {
    return (this.#revision.get() as { revision: number }).revision;
  }

  /** Every later {@link revision} is at least this one. */
  reserve(revision: number): void {
    this.#reserve.run(revision);
  }
}
