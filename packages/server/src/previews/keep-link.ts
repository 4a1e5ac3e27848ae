import type { Exchange } from '../http/exchange.ts';
import { wantsPage } from './error-page.ts';
import { previewCookie } from './credentials.ts';

export interface KeptLink {
  readonly token: string;
  readonly expiresAt: Date;
}

/**
 * Puts a link that came in the query into a cookie of a browser, and sends it to the same address
 * without it: so the page, its logs and where it leads to do not get to know the link. False for
 * what is no page in a browser: it may send the link each time.
 */
export function keepLink(
  { request, response }: Exchange,
  { token, expiresAt }: KeptLink,
  target: string,
): boolean {
  if (!wantsPage(request) || request.headers.upgrade !== undefined) return false;
  const seconds = Math.max(Math.floor((expiresAt.getTime() - Date.now()) / 1_000), 0);
  const secure = request.headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  response.writeHead(303, {
    // Two slashes would be the name of another host.
    Location: target.replace(/^[/\\]+/, '/'),
    'Set-Cookie': `${previewCookie}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Length': 0,
  });
  response.end();
  return true;
}
