import type { z } from 'zod';
import type { ErrorCode } from '../error-table.ts';

/** A parameter in the path, the query or a header. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required?: boolean;
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** What a body is made of: JSON of a schema, a line of JSON each, raw bytes, or a stream of events. */
export type Body =
  | { readonly kind: 'json'; readonly name: string; readonly schema: z.ZodType }
  | { readonly kind: 'lines'; readonly name: string; readonly schema: z.ZodType }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'events'; readonly description: string };

/** One route of the native API, as the OpenAPI file tells it. */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'head' | 'put' | 'post' | 'patch' | 'delete' | 'options';
  /** As `/v1/sandboxes/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag:
    | 'sandboxes'
    | 'files'
    | 'commands'
    | 'code'
    | 'ports'
    | 'snapshots'
    | 'templates'
    | 'volumes'
    | 'pools'
    | 'namespaces'
    | 'keys'
    | 'ssh'
    | 'daemon';
  /** Beside those in the path, which are taken from it. */
  readonly parameters?: readonly Parameter[];
  readonly request?: Body;
  readonly status: number;
  readonly response?: Body;
  /** Beside those that every route may answer. */
  readonly errors: readonly ErrorCode[];
  /** True: needs no key. */
  readonly open?: boolean;
}
