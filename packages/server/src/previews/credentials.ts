import { apiKeyOf, passwordOf } from '../http/api-key-of.ts';
import { keyProtocolPrefix } from '../http/upgrade-key-of.ts';
import type { Fields } from '../proxy/fields.ts';

/** Cookie that opens a private preview in a browser. */
export const previewCookie = '__sandport_preview';

/** What the daemon's credentials look like. */
export interface Secrets {
  readonly isKey: (text: string) => boolean;
  readonly isToken: (text: string) => boolean;
}

/** Cookies that are the daemon's own, whatever prefix makes a browser stricter with them. */
export const isOwnCookie = (name: string): boolean =>
  /^(?:__(?:host|secure)-)?_*sandport/i.test(name.trim());

/**
 * The fields of a request as a server in a sandbox may see them: without keys of the daemon, its
 * cookies, its links. What only looks alike, as the server's own `Authorization`, stays.
 */
export function withoutCredentials(fields: Fields, secrets: Secrets): Fields {
  const kept: [string, string][] = [];
  for (const [name, value] of fields) {
    const shown = shownValue(name.toLowerCase(), value, secrets);
    if (shown !== undefined) kept.push([name, shown]);
  }
  return kept;
}

function shownValue(name: string, value: string, secrets: Secrets): string | undefined {
  switch (name) {
    case 'authorization': {
      const key = apiKeyOf({ authorization: value }) ?? passwordOf({ authorization: value });
      return key !== undefined && secrets.isKey(key) ? undefined : value;
    }
    case 'x-api-key':
      return secrets.isKey(value.trim()) ? undefined : value;
    case 'cookie':
      return withoutParts(value, ';', (each) => isOwnCookie(each.split('=', 1)[0] ?? ''));
    case 'sec-websocket-protocol':
      return withoutParts(value, ',', (each) => each.startsWith(keyProtocolPrefix));
    case 'referer':
      return /\/v1\/p\/|[?&](?:access_)?token=/i.test(value) ? undefined : value;
    default:
      return value;
  }
}

/** Undefined when nothing is left. */
function withoutParts(
  value: string,
  separator: string,
  isOurs: (part: string) => boolean,
): string | undefined {
  const parts = value.split(separator).map((each) => each.trim());
  const left = parts.filter((each) => each !== '' && !isOurs(each));
  return left.length === 0 ? undefined : left.join(`${separator} `);
}

/** The same for a request target. All else in it stays as it is written. */
export function targetWithoutCredentials(target: string, secrets: Secrets): string {
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const left = target
    .slice(mark + 1)
    .split('&')
    .filter((pair) => {
      const [name, value = ''] = pair.split('=', 2);
      if (name === 'access_token') return !secrets.isKey(value);
      return name !== 'token' || !secrets.isToken(value);
    });
  const query = left.join('&');
  return query === '' ? target.slice(0, mark) : `${target.slice(0, mark)}?${query}`;
}

/** The value of a parameter in the query of a target that {@link targetWithoutCredentials} knows. */
export function parameterOf(target: string, name: 'token' | 'access_token'): string | undefined {
  const mark = target.indexOf('?');
  if (mark === -1) return undefined;
  const pairs = target.slice(mark + 1).split('&');
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The tokens in cookies of previews. */
export const cookieTokensOf = (cookie: string | undefined): string[] =>
  (cookie ?? '')
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each.startsWith(`${previewCookie}=`))
    .map((each) => each.slice(previewCookie.length + 1));
