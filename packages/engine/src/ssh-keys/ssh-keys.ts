import { randomBytes } from 'node:crypto';
import {
  type CreateSshKey,
  maxSshKeys,
  SandportFault,
  type SshKeyObject,
} from '@sandport/protocol';
import type { SshKeyRow, SshKeyTable } from '@sandport/state';
import type { Keys } from '../keys.ts';
import { isAdministrator, type Principal } from '../principal.ts';
import { fingerprintOf, parsePublicKey } from './public-key.ts';

export interface SshKeysOptions {
  readonly table: SshKeyTable;
  readonly keys: Keys;
}

/** Public keys that log in as an API key. They are gone when it is. */
export class SshKeys {
  readonly #table: SshKeyTable;
  readonly #keys: Keys;

  constructor({ table, keys }: SshKeysOptions) {
    this.#table = table;
    this.#keys = keys;
  }

  /**
   * Registers a public key for the API key that asks; one that it has already stays as it is.
   * @throws SandportFault `invalid_request`, `limit_reached`
   */
  add(principal: Principal, request: CreateSshKey): SshKeyObject {
    const { type, blob, comment } = parsePublicKey(request.public_key);
    const own = this.#table.all().filter((row) => row.key === principal.keyId);
    const there = own.find((row) => row.blob.equals(blob));
    if (there !== undefined) return toObject(there);
    if (own.length >= maxSshKeys)
      throw new SandportFault(
        'limit_reached',
        `This API key has registered ${maxSshKeys} public keys already; remove one.`,
        { limit: maxSshKeys, resource: 'ssh_keys' },
      );
    const row: SshKeyRow = {
      id: randomBytes(6).toString('hex'),
      key: principal.keyId,
      label: request.label ?? comment,
      type,
      blob,
      createdAt: new Date(),
    };
    this.#table.insert(row);
    return toObject(row);
  }

  /** Those that the API key registered; for an administrator those of all keys. Oldest first. */
  list(principal: Principal): SshKeyObject[] {
    return this.#table
      .all()
      .filter((row) => maySee(principal, row))
      .map(toObject);
  }

  /** @throws SandportFault `ssh_key_not_found`, also for one of another API key */
  remove(principal: Principal, id: string): void {
    const row = this.#table.all().find((each) => each.id === id && maySee(principal, each));
    if (row === undefined || !this.#table.delete(id))
      throw new SandportFault('ssh_key_not_found', `No public key has the id "${id}".`, {
        key: id,
      });
  }

  /** Whom a public key stands for: several API keys may have registered the same one. */
  principalsOf(blob: Buffer): Principal[] {
    return this.#table
      .byBlob(blob)
      .map(({ key }) => this.#keys.principal(key))
      .filter((each) => each !== undefined);
  }
}

const maySee = (principal: Principal, row: SshKeyRow): boolean =>
  isAdministrator(principal) || row.key === principal.keyId;

const toObject = (row: SshKeyRow): SshKeyObject => ({
  id: row.id,
  label: row.label,
  type: row.type,
  public_key: `${row.type} ${row.blob.toString('base64')}`,
  fingerprint: fingerprintOf(row.blob),
  key: row.key,
  created_at: row.createdAt.toISOString(),
});
