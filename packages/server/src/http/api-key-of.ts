import type { IncomingHttpHeaders } from 'node:http';

/** The key of `Authorization: Bearer KEY` or `X-API-Key: KEY`; undefined when there is none. */
export function apiKeyOf({
  authorization,
  'x-api-key': header,
}: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return bearer ?? (typeof header === 'string' ? header : undefined);
}

/** The password of `Authorization: Basic`, which addresses as `http://user:KEY@host` become. */
export function passwordOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
