import type { IncomingMessage } from 'node:http';
import { endToEndFields, type Fields } from '../proxy/fields.ts';
import { isOwnCookie } from './credentials.ts';

/** What a server in a sandbox may not say: it would mean more than its own address. */
const withheld: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'nel',
  'public-key-pins',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'strict-transport-security',
]);

/** A page at the API's own address must have no part in that origin: it gets one of its own. */
const sandboxPolicy = 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts';

/** At the address of the port. Cookies are for that host only. */
export const answerAtOwnHost = (answer: IncomingMessage): Fields =>
  withheldFrom(answer).flatMap(([name, value]): Fields => {
    if (name.toLowerCase() !== 'set-cookie') return [[name, value]];
    const cookie = narrowedCookie(value, undefined);
    return cookie === undefined ? [] : [[name, cookie]];
  });

/**
 * Below a path of the API's address: cookies are for that path only, and so are redirects that name
 * no host; pages are kept apart from the API's origin, and tell nobody the address, which may be a
 * signed link.
 */
export const answerBelow =
  (prefix: string) =>
  (answer: IncomingMessage): Fields => [
    ...withheldFrom(answer).flatMap(([name, value]): Fields => {
      switch (name.toLowerCase()) {
        case 'set-cookie': {
          const cookie = narrowedCookie(value, prefix);
          return cookie === undefined ? [] : [[name, cookie]];
        }
        case 'location':
        case 'content-location':
          return [[name, /^\/(?![/\\])/.test(value) ? `${prefix}${value}` : value]];
        case 'referrer-policy':
          return [];
        default:
          return [[name, value]];
      }
    }),
    ['Content-Security-Policy', sandboxPolicy],
    ['Referrer-Policy', 'no-referrer'],
  ];

const withheldFrom = (answer: IncomingMessage): Fields =>
  endToEndFields(answer).filter(([name]) => !withheld.has(name.toLowerCase()));

/** Undefined for a cookie that would be taken for the daemon's. */
function narrowedCookie(cookie: string, prefix: string | undefined): string | undefined {
  const [pair = '', ...attributes] = cookie.split(';');
  // A cookie without a name is sent back as its value, which may look like another cookie.
  const name = pair.replace(/^[\s=]+/, '').split('=', 1)[0] ?? '';
  if (isOwnCookie(name)) return undefined;
  const kept = attributes.filter((each) => !/^\s*(?:domain|path)\s*(?:=|$)/i.test(each));
  const path = attributes.find((each) => /^\s*path\s*=/i.test(each));
  const wanted = path?.slice(path.indexOf('=') + 1).trim();
  if (prefix === undefined) return [pair, ...kept, ...(path === undefined ? [] : [path])].join(';');
  const below = wanted?.startsWith('/') ? wanted : '/';
  // With this prefix a browser wants the whole host for it.
  if (/^\s*__host-/i.test(name)) return undefined;
  return [pair, ...kept, ` Path=${prefix}${below}`].join(';');
}
