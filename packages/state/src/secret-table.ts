import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';

/** Random secrets of the daemon, each under a name. */
export class SecretTable {
  readonly #insert;
  readonly #get;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT OR IGNORE INTO secrets VALUES (?, ?)');
    this.#get = database.prepare('SELECT secret FROM secrets WHERE name = ?');
  }

  /** 32 random bytes, the same at each call; made at the first. */
  ensure(name: string): Buffer {
    this.#insert.run(name, randomBytes(32));
    const { secret } = this.#get.get(name) as { secret: Buffer };
    return Buffer.from(secret);
  }
}
