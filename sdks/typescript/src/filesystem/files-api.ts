import { parseGuestPath } from '@sandport/protocol';
import { checked } from '../errors/error-from-answer.ts';
import type { QueryValue } from '../http/request.ts';
import type { Schema, Transport } from '../http/transport.ts';
import type { SignalOptions } from './progress.ts';

/** Whose files they are: the id of a sandbox, or a volume. */
export type FilesOwner =
  | string
  | { readonly volume: string; readonly namespace?: string | undefined };

/** The file routes of one sandbox or volume. */
export class FilesApi {
  readonly transport: Transport;
  /** Path of the sandbox or the volume in the API. */
  readonly ownerPath: string;
  /** Path of its files in the API. */
  readonly fsPath: string;
  /** Path of its uploads in parts in the API; undefined where there are none. */
  readonly uploadsPath: string | undefined;

  constructor(transport: Transport, owner: FilesOwner) {
    if (typeof owner === 'string') {
      this.transport = transport;
      this.ownerPath = `/v1/sandboxes/${encodeURIComponent(owner)}`;
      this.uploadsPath = `${this.ownerPath}/uploads`;
    } else {
      this.transport = transport.withQuery({ namespace: owner.namespace });
      this.ownerPath = `/v1/volumes/${encodeURIComponent(owner.volume)}`;
      this.uploadsPath = undefined;
    }
    this.fsPath = `${this.ownerPath}/fs`;
  }

  /** A GET below the file routes. With `isSlow`, the daemon may be silent while it works. */
  get<T>(
    route: string,
    query: Readonly<Record<string, QueryValue>>,
    schema: Schema<T>,
    { signal, isSlow = false }: SignalOptions & { isSlow?: boolean },
  ): Promise<T> {
    const idleTimeoutMs = isSlow ? this.transport.slowTimeoutMs : undefined;
    return this.transport.json(
      { method: 'GET', path: `${this.fsPath}${route}`, query, signal, idleTimeoutMs },
      schema,
    );
  }

  /**
   * A POST with a JSON body below the file routes; it may be work on a whole tree. Fields that are
   * undefined are left out.
   */
  post<T>(route: string, json: object, schema: Schema<T>, { signal }: SignalOptions): Promise<T> {
    const idleTimeoutMs = this.transport.slowTimeoutMs;
    return this.transport.json(
      { method: 'POST', path: `${this.fsPath}${route}`, json, signal, idleTimeoutMs },
      schema,
    );
  }
}

/** A path in a sandbox, as it was given. @throws BadRequestError for one that no file can have */
export const guestPath = (path: string): string => checked(() => parseGuestPath(path));

/** Permission bits as the API takes them. */
export const modeText = (mode: number | undefined): string | undefined =>
  mode === undefined ? undefined : (mode & 0o7777).toString(8).padStart(4, '0');
