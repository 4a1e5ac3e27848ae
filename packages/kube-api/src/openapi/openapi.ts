import { apiGroups } from '../discovery/api-groups.ts';
import { type DocumentAnswer, type Documents, jsonDocument, once } from '../discovery/document.ts';
import { KubeError } from '../objects/kube-error.ts';
import type { Resource } from '../objects/resource.ts';
import { openApiV2 } from './openapi-v2.ts';
import { openApiV3 } from './openapi-v3.ts';

/**
 * `/openapi/v2`, `/openapi/v3` and `/openapi/v3/apis/GROUP/VERSION`. Each is made when it is first
 * asked for.
 */
export function openApiDocuments(resources: readonly Resource[]): Documents {
  const groups = apiGroups(resources);
  const v3 = new Map<string, () => DocumentAnswer>();
  for (const { name, versions } of groups) {
    for (const served of versions) {
      const path = name === '' ? `api/${served.version}` : `apis/${name}/${served.version}`;
      v3.set(
        path,
        once(() => jsonDocument(openApiV3(served))),
      );
    }
  }
  const index = once(() =>
    jsonDocument({
      paths: Object.fromEntries(
        [...v3].map(([path, document]) => [
          path,
          { serverRelativeURL: `/openapi/v3/${path}?hash=${document().etag?.slice(1, -1) ?? ''}` },
        ]),
      ),
    }),
  );
  const v2 = once(() => jsonDocument(openApiV2(groups)));
  return (path, accept) => {
    if (path === '/openapi/v3' || path === '/openapi/v3/') return index();
    if (path === '/openapi/v2') {
      checkTakesJson(accept);
      return v2();
    }
    return path.startsWith('/openapi/v3/')
      ? v3.get(path.slice('/openapi/v3/'.length))?.()
      : undefined;
  };
}

/** @throws KubeError `NotAcceptable` for a client that would take JSON for something else */
function checkTakesJson(accept: string | undefined): void {
  if (accept === undefined || /application\/(json|\*)|\*\/\*/i.test(accept)) return;
  throw new KubeError('NotAcceptable', 'this document is there as application/json only');
}
