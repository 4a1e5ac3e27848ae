import type { Documents } from '../discovery/discovery.ts';
import type { Resource } from '../objects/resource.ts';

/** `/openapi/v2`, `/openapi/v3` and `/openapi/v3/apis/GROUP/VERSION`. */
export const openApiDocuments = (resources: readonly Resource[]): Documents => {
  void resources;
  return () => undefined;
};
