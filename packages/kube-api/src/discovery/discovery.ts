import type { Resource } from '../objects/resource.ts';

/** A document that the server gives as it is. */
export interface DocumentAnswer {
  readonly contentType: string;
  readonly body: string;
  /** For `If-None-Match`; with its quotes. */
  readonly etag?: string;
}

/** `path` is that of the URL; undefined: no document of this kind. */
export type Documents = (path: string, accept: string | undefined) => DocumentAnswer | undefined;

/** What is served: `/api`, `/apis`, `/api/v1`, `/apis/GROUP` and `/apis/GROUP/VERSION`. */
export const discoveryDocuments = (resources: readonly Resource[]): Documents => {
  void resources;
  return () => undefined;
};
