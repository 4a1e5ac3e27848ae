import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type CreatedKey, type CreateKey, type KeyObject, SandportFault } from '@sandport/protocol';
import type { KeyRow, KeyTable } from '@sandport/state';
import { type Principal, requireAdministrator } from './principal.ts';

const hash = (apiKey: string) => createHash('sha256').update(apiKey).digest();

/**
 * API keys: 128 random bits each, kept as SHA-256 only. A fast hash is enough for a secret of that
 * length; it cannot be guessed however fast the guessing is.
 */
export class Keys {
  readonly #table: KeyTable;
  #rows: readonly KeyRow[];

  constructor(table: KeyTable) {
    this.#table = table;
    this.#rows = table.all();
  }

  /** Whose key this is; undefined when it is nobody's. Takes the same time for every wrong key. */
  authenticate(apiKey: string): Principal | undefined {
    const sha256 = hash(apiKey);
    let found: KeyRow | undefined;
    for (const row of this.#rows) if (timingSafeEqual(row.sha256, sha256)) found = row;
    return found && principalOf(found);
  }

  /** Whom the key with this id stands for; undefined when there is none. */
  principal(id: string): Principal | undefined {
    const row = this.#rows.find((each) => each.id === id);
    return row && principalOf(row);
  }

  /** Makes a key for an administrator's use or for some namespaces. */
  create(principal: Principal, request: CreateKey): CreatedKey {
    requireAdministrator(principal);
    return this.issue(request);
  }

  /** Makes a key on the daemon's own behalf. */
  issue(request: CreateKey): CreatedKey {
    const apiKey = `sp_${randomBytes(16).toString('hex')}`;
    const row: KeyRow = {
      id: randomBytes(6).toString('hex'),
      label: request.label ?? '',
      sha256: hash(apiKey),
      namespaces: request.namespaces,
      createdAt: new Date(),
    };
    this.#table.insert(row);
    this.#rows = this.#table.all();
    return { ...toObject(row), api_key: apiKey };
  }

  list(principal: Principal): KeyObject[] {
    requireAdministrator(principal);
    return this.#rows.map(toObject);
  }

  remove(principal: Principal, id: string): void {
    requireAdministrator(principal);
    if (!this.#table.delete(id))
      throw new SandportFault('key_not_found', `No API key has the id "${id}".`, { key: id });
    this.#rows = this.#table.all();
  }
}

const principalOf = ({ id, namespaces }: KeyRow): Principal => ({
  keyId: id,
  namespaces: namespaces === undefined ? undefined : new Set(namespaces),
});

const toObject = (row: KeyRow): KeyObject => ({
  id: row.id,
  label: row.label,
  ...(row.namespaces === undefined ? {} : { namespaces: [...row.namespaces] }),
  created_at: row.createdAt.toISOString(),
});
