import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Engine, isAllowedPath, type PreviewGrant, type Principal } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { apiKeyOf } from '../http/api-key-of.ts';
import { cookieTokensOf, parameterOf } from './credentials.ts';
import type { PreviewedPort } from './preview-host.ts';

/** Who was let in to the address of a port, and by what. */
export interface Admission {
  readonly principal: Principal;
  /** False once it is over: the key is gone, or the port is not public any more. */
  readonly holds: () => boolean;
  /** Of the link. */
  readonly expiresAt?: Date;
  /** Present when it was a link in the query, which a browser keeps as a cookie. */
  readonly link?: { readonly token: string; readonly expiresAt: Date };
}

type Ports = Pick<Engine, 'ports' | 'keys'>;

/** Everybody: for ports that are public. */
const everybody: Principal = { keyId: 'everybody' };

/**
 * Lets a request in to the address of a port: by a key in a header, by a signed link in the query or
 * the cookie, or because the port is public. Whether there is such a sandbox looks the same from
 * outside.
 * @throws SandportFault `preview_unauthorized`, `preview_forbidden`
 */
export function admit(
  request: IncomingMessage,
  target: string,
  to: PreviewedPort,
  engine: Ports,
): Admission {
  const { headers } = request;
  const key = apiKeyOf(headers);
  const principal = key === undefined ? undefined : engine.keys.authenticate(key);
  const byKey = (owner: Principal) => ({
    principal: owner,
    holds: () => engine.keys.principal(owner.keyId) !== undefined,
  });
  if (principal !== undefined) return byKey(principal);
  const token = parameterOf(target, 'token');
  if (token !== undefined && engine.ports.isToken(token)) {
    const { principal: owner, expiresAt } = grantFor(engine.ports.open(token), to, target);
    return { ...byKey(owner), expiresAt, link: { token, expiresAt } };
  }
  const isPublic = () => engine.ports.visibility(to.sandbox, to.port) === 'public';
  if (isPublic()) return { principal: everybody, holds: isPublic };
  const { principal: owner, expiresAt } = grantOfCookies(headers.cookie, to, target, engine);
  refuseOtherPages(headers);
  return { ...byKey(owner), expiresAt };
}

/**
 * Other hosts of the same domain can set cookies of the same name, so any of them may be the right
 * one. @throws SandportFault `preview_forbidden`, `preview_unauthorized`
 */
function grantOfCookies(
  cookie: string | undefined,
  to: PreviewedPort,
  target: string,
  { ports }: Ports,
): PreviewGrant {
  let refusal: unknown = new SandportFault(
    'preview_unauthorized',
    'This preview is private, or there is none: open it with a signed link.',
  );
  for (const token of cookieTokensOf(cookie).filter((each) => ports.isToken(each))) {
    try {
      return grantFor(ports.open(token), to, target);
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

/** @throws SandportFault `preview_forbidden`, `preview_unauthorized` */
export function grantFor(grant: PreviewGrant, to: PreviewedPort, target: string): PreviewGrant {
  if (grant.sandbox !== to.sandbox || grant.port !== to.port)
    throw new SandportFault('preview_unauthorized', 'This link leads to another port.');
  refuseOtherPaths(grant, target);
  return grant;
}

/** @throws SandportFault `preview_forbidden` */
export function refuseOtherPaths({ paths }: PreviewGrant, target: string): void {
  if (!isAllowedPath(target, paths))
    throw new SandportFault('preview_forbidden', 'The link does not lead to this path.', {
      path: target.slice(0, 200),
    });
}

/**
 * Browsers send the cookie along with what pages of other origins ask for, other previews among
 * them: these may lead somebody to the preview, and nothing else. @throws SandportFault `preview_forbidden`
 */
function refuseOtherPages({ host, origin, ...headers }: IncomingHttpHeaders): void {
  const isOwnOrigin =
    origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  const site = headers['sec-fetch-site'];
  const isOwnSite =
    site === undefined ||
    site === 'same-origin' ||
    site === 'none' ||
    headers['sec-fetch-mode'] === 'navigate';
  if (!isOwnOrigin || !isOwnSite)
    throw new SandportFault(
      'preview_forbidden',
      'Pages of other origins may not use a private preview.',
    );
}
