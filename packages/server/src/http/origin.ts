import type { IncomingHttpHeaders } from 'node:http';
import { SandportFault } from '@sandport/protocol';

/**
 * Browsers let every web page open WebSockets to every server, and name the page's origin: those of
 * the daemon's own pages pass, and those of the list. Clients that are no browsers send none.
 * @throws SandportFault `origin_not_allowed`
 */
export function refuseForeignOrigin(
  { origin, host }: IncomingHttpHeaders,
  allowedOrigins: readonly string[],
): void {
  if (origin === undefined || allowedOrigins.includes(origin)) return;
  if (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)) return;
  throw new SandportFault(
    'origin_not_allowed',
    `A web page of ${origin.slice(0, 200)} may not open this connection.`,
    { origin: origin.slice(0, 200) },
  );
}
