import type { IncomingMessage } from 'node:http';

const hostPattern = /^[A-Za-z0-9._~:[\]-]+$/;

/**
 * Address of a path as the client of this request reaches it: by its `Host` field, or by what a
 * proxy in front says with `X-Forwarded-Host` and `X-Forwarded-Proto`. Only for telling it back.
 */
export function addressOf(request: IncomingMessage, path: string): string {
  const { host, 'x-forwarded-host': proxied, 'x-forwarded-proto': scheme } = request.headers;
  const first = String(proxied ?? '')
    .split(',')[0]
    ?.trim();
  const known = [first, host].find((each) => each !== undefined && hostPattern.test(each));
  const { localAddress, localPort } = request.socket;
  return `${scheme === 'https' ? 'https' : 'http'}://${known ?? `${localAddress}:${localPort}`}${path}`;
}
