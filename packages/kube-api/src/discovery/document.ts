import { createHash } from 'node:crypto';

/** A document that the server gives as it is. */
export interface DocumentAnswer {
  readonly contentType: string;
  readonly body: string;
  /** For `If-None-Match`; with its quotes. */
  readonly etag?: string;
}

/**
 * `path` is that of the URL, `accept` the header; undefined: no document of this kind.
 * @throws KubeError `NotAcceptable`
 */
export type Documents = (path: string, accept: string | undefined) => DocumentAnswer | undefined;

/** A document of JSON, with a tag of what it says. */
export function jsonDocument(value: unknown, contentType = 'application/json'): DocumentAnswer {
  const body = JSON.stringify(value);
  return { contentType, body, etag: `"${hashOf(body)}"` };
}

export const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase();

/** Calls a function once, when its value is first asked for. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
