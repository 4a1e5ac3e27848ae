import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Refusal } from '../runtimes/answers.ts';

/**
 * Refuses what a web page may have sent: a page in a browser must not reach a sandbox where the
 * browser's machine may. @throws Refusal 403
 */
export function refusePages({ headers }: IncomingMessage): void {
  if (headers.origin !== undefined)
    throw new Refusal(403, {
      detail: 'Requests of web pages (with an Origin header) are refused.',
    });
}

/**
 * Refuses a `Host` that is somebody's domain: after DNS rebinding a page sends requests to this
 * machine that have no `Origin`. For where no key is asked for. @throws Refusal 403
 */
export function refuseForeignHosts({ headers }: IncomingMessage): void {
  if (headers.host !== undefined && !isLocalName(headers.host))
    throw new Refusal(403, {
      detail: 'The Host header names neither an address nor a service of the sandboxes.',
    });
}

/** Addresses cannot be rebound; the other names are resolved by nobody outside. */
function isLocalName(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  return (
    isIP(address) !== 0 ||
    /^[a-z0-9-]+$/.test(name) ||
    /^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.svc(?:\.cluster\.local)?$/.test(name) ||
    /^sandbox-router-svc\.[a-z0-9-]+$/.test(name)
  );
}

/** Refuses targets that are no path in ASCII, as `http://other/` and `*`. @throws Refusal 400 */
export function refuseForeignTargets({ url }: IncomingMessage): void {
  if (!/^\/[!-~]*$/.test(url ?? ''))
    throw new Refusal(400, { detail: 'The request target must be a path.' });
}
