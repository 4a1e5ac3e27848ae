import { type CreatedLink, createdLinkSchema } from '@sandport/protocol';
import { type Api, exchange, type HttpAnswer, type HttpRequest, json } from '../harness/index.ts';

/** Makes a link that must be allowed. */
export async function makeLink(
  api: Api,
  sandbox: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<CreatedLink> {
  const answer = await api.sendJson('POST', `/v1/sandboxes/${sandbox}/fs/links`, fields);
  return createdLinkSchema.parse(json(answer, 201));
}

/** A request without a key, as whoever got the link makes it. */
export const useLink = (
  api: Api,
  link: CreatedLink,
  request: Partial<HttpRequest> = {},
): Promise<HttpAnswer> => exchange(api.url, { path: link.url_path, ...request });
