import type { SignalOptions } from '../filesystem/progress.ts';
import type { QueryValue } from '../http/request.ts';
import type { Schema, Transport } from '../http/transport.ts';

/** Path of a sandbox in the API. */
export const sandboxPath = (idOrName: string) => `/v1/sandboxes/${encodeURIComponent(idOrName)}`;

/** The routes of one sandbox, files and commands excepted. */
export class SandboxApi {
  readonly transport: Transport;
  readonly path: string;

  constructor(transport: Transport, id: string) {
    this.transport = transport;
    this.path = sandboxPath(id);
  }

  get<T>(
    route: string,
    schema: Schema<T>,
    { signal, query }: SignalOptions & { query?: Readonly<Record<string, QueryValue>> },
  ): Promise<T> {
    return this.transport.json(
      { method: 'GET', path: `${this.path}${route}`, query, signal },
      schema,
    );
  }

  /** A change, which may take the daemon a while. Without `json` the body is empty. */
  send<T>(
    method: 'POST' | 'PATCH',
    route: string,
    schema: Schema<T>,
    { signal, json }: SignalOptions & { json?: object },
  ): Promise<T> {
    const idleTimeoutMs = this.transport.slowTimeoutMs;
    return this.transport.json(
      { method, path: `${this.path}${route}`, json, signal, idleTimeoutMs },
      schema,
    );
  }
}
