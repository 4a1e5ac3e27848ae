export type QueryValue = string | number | boolean | readonly string[] | undefined;

/** A body that lies in memory; sent with its length. */
export interface BytesBody {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  /** Sees how many bytes have been handed to the connection, piece by piece. */
  onSent?(bytes: number): void;
}

/** A body of any length; sent in chunks, with the trailers that are known at its end. */
export interface StreamBody {
  readonly kind: 'stream';
  /** Begins the body; called again for a second attempt when `replayable`. */
  open(): AsyncIterable<Uint8Array>;
  readonly replayable: boolean;
  /** Sees every chunk, after it has been handed to the connection. */
  onChunk?(chunk: Uint8Array): void;
  /** Called once the last chunk has been handed over. */
  trailers?(): Readonly<Record<string, string>>;
}

export type RequestBody = BytesBody | StreamBody;

/** One call of the API. */
export interface RequestSpec {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the daemon's address, escaped, as `/v1/sandboxes`. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, QueryValue>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A status beside 2xx that is no error. */
  readonly accepts?: number | undefined;
  /** False: sent once, whatever the method. @default true for methods that can be repeated */
  readonly repeatable?: boolean | undefined;
  /** Milliseconds; 0: never. @default the client's */
  readonly idleTimeoutMs?: number | undefined;
}

/** Query string with its question mark, or nothing. Spaces go as %20; an array repeats its name. */
export function queryString(query: RequestSpec['query']): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    const values = Array.isArray(value) ? value : [value];
    for (const each of values) {
      if (each !== undefined) parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(each)}`);
    }
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** True when sending the request twice does what sending it once does, and it can be sent twice. */
export function isRepeatable(spec: RequestSpec): boolean {
  if (spec.repeatable === false || spec.method === 'POST' || spec.method === 'PATCH') return false;
  return spec.body?.kind !== 'stream' || spec.body.replayable;
}
