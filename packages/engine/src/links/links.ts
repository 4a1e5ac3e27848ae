import { createHash, randomBytes } from 'node:crypto';
import type { SandboxFiles } from '@sandport/driver';
import {
  type CreateLink,
  type LinkObject,
  parseGuestPath,
  SandportFault,
} from '@sandport/protocol';
import type { LinkRow, LinkTable } from '@sandport/state';
import type { Files } from '../files/files.ts';
import type { Principal } from '../principal.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import type { WakeOptions } from '../sandboxes/states.ts';

/** Most links of one sandbox. */
const maxLinks = 1_000;
const defaultLifetimeSeconds = 3_600;

export interface LinksOptions {
  readonly table: LinkTable;
  readonly sandboxes: Sandboxes;
  readonly files: Files;
}

export interface OpenLinkOptions extends WakeOptions {
  /** Counts the bytes that a download has sent; while it stands still, the sandbox is idle. */
  readonly sent?: () => number;
}

/** A link that somebody uses. */
export interface OpenedLink {
  readonly link: LinkRow;
  /** Of its sandbox. */
  readonly files: SandboxFiles;
  /** Keeps the sandbox from being idle until it is disposed of. */
  readonly use: Disposable;
}

/**
 * Links that let whoever has one download or upload one file. The secret in a link has 256 random
 * bits and is kept as its SHA-256 only. A link ends with its time, when it is revoked, with its
 * sandbox, and with the key that made it; a transfer that has begun goes on.
 */
export class Links {
  readonly #options: LinksOptions;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** @throws SandportFault `invalid_path`, `invalid_request`, `limit_reached` */
  create(
    principal: Principal,
    idOrName: string,
    request: CreateLink,
  ): { readonly object: LinkObject; readonly token: string } {
    const { table, sandboxes } = this.#options;
    const sandbox = sandboxes.find(principal, idOrName).row.id;
    const { method = 'GET', max_bytes: maxBytes } = request;
    if (method === 'GET' && maxBytes !== undefined)
      throw new SandportFault('invalid_request', '`max_bytes` is for links with the method PUT.', {
        field: 'max_bytes',
      });
    const now = Date.now();
    table.deleteExpired(new Date(now));
    if (table.ofSandbox(sandbox).length >= maxLinks)
      throw new SandportFault('limit_reached', `The sandbox has ${maxLinks} links already.`, {
        limit: maxLinks,
      });
    const token = randomBytes(32).toString('base64url');
    const row: LinkRow = {
      id: randomBytes(8).toString('hex'),
      sandbox,
      key: principal.keyId,
      tokenSha256: hash(token),
      path: parseGuestPath(request.path),
      method,
      maxBytes,
      createdAt: new Date(now),
      expiresAt: new Date(now + (request.expires_in_seconds ?? defaultLifetimeSeconds) * 1_000),
    };
    table.insert(row);
    return { object: toObject(row), token };
  }

  /** Those that still work, oldest first. */
  list(principal: Principal, idOrName: string): LinkObject[] {
    const { table, sandboxes } = this.#options;
    table.deleteExpired(new Date());
    return table.ofSandbox(sandboxes.find(principal, idOrName).row.id).map(toObject);
  }

  /** @throws SandportFault `link_not_found` */
  remove(principal: Principal, idOrName: string, id: string): void {
    const { table, sandboxes } = this.#options;
    if (!table.delete(sandboxes.find(principal, idOrName).row.id, id)) throw noLink();
  }

  /**
   * What a secret is for. Whether it never was, is over, or its sandbox is gone, looks the same.
   * @throws SandportFault `link_not_found`
   */
  async open(token: string, options: OpenLinkOptions = {}): Promise<OpenedLink> {
    const link = this.#options.table.byToken(hash(token));
    if (link === undefined || link.expiresAt.getTime() <= Date.now()) throw noLink();
    // The link itself is the permission; its sandbox was found with the key that made it.
    const principal: Principal = { keyId: link.key, namespaces: undefined };
    const { files } = this.#options;
    let use: Disposable | undefined;
    try {
      use = files.using(principal, link.sandbox, link.method === 'GET' ? options.sent : undefined);
      const found =
        link.method === 'GET'
          ? files.reading(principal, link.sandbox)
          : files.writing(principal, link.sandbox, options);
      return { link, files: await found, use };
    } catch (error) {
      use?.[Symbol.dispose]();
      if (error instanceof SandportFault) throw noLink();
      throw error;
    }
  }
}

const hash = (token: string) => createHash('sha256').update(token).digest();

const noLink = () =>
  new SandportFault('link_not_found', 'This link does not exist, was revoked, or has expired.');

const toObject = (row: LinkRow): LinkObject => ({
  id: row.id,
  sandbox_id: row.sandbox,
  path: row.path,
  method: row.method,
  ...(row.maxBytes === undefined ? {} : { max_bytes: row.maxBytes }),
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
});
