import type { IncomingMessage } from 'node:http';
import type { Engine } from '@sandport/engine';
import { portNumberSchema, SandportFault } from '@sandport/protocol';
import { authenticate } from '../http/authenticate.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/router.ts';
import { upgradeKeyOf } from '../http/upgrade-key-of.ts';
import { admit, refuseOtherPaths } from './admission.ts';
import { answerAtOwnHost, answerBelow } from './answer-fields.ts';
import { parameterOf, targetWithoutCredentials } from './credentials.ts';
import { keepLink } from './keep-link.ts';
import type { Lead } from './lead.ts';
import { portOfHost, type PreviewedPort, type PreviewHostSetting } from './preview-host.ts';
import { previewRoute } from './preview-route.ts';

export interface PreviewsOptions {
  readonly engine: Engine;
  readonly host: PreviewHostSetting;
}

/** `rest` begins with a slash or a question mark, or is empty. */
const byKey = /^(\/v1\/sandboxes\/([^/?]+)\/proxy\/([^/?]+))([/?].*)?$/s;
const byLink = /^(\/v1\/p\/([^/?]+))([/?].*)?$/s;

/**
 * The ways to ports of sandboxes: the address of a port, a path for those with a key, and a path
 * for those with a signed link. They take every method and every protocol, so they come before the
 * other routes.
 */
export class Previews {
  readonly #options: PreviewsOptions;

  constructor(options: PreviewsOptions) {
    this.#options = options;
  }

  /** The route of a request that leads to a port; undefined when it does not. */
  find(request: IncomingMessage): Route | undefined {
    const { engine, host } = this.#options;
    const { headers, url = '/' } = request;
    const to = portOfHost(headers.host, host);
    if (to !== undefined)
      return previewRoute(engine, 'preview', (exchange) => this.#enterHost(exchange, url, to));
    const [, prefix = '', id = '', port = '', rest] = byKey.exec(url) ?? [];
    if (prefix !== '')
      return previewRoute(engine, '/v1/sandboxes/:id/proxy/:port', (exchange) => {
        exchange.params = { id, port };
        return this.#enterByKey(exchange, prefix, rest);
      });
    const [, link = '', token = '', below] = byLink.exec(url) ?? [];
    if (link === '') return undefined;
    return previewRoute(engine, '/v1/p/:token', () => this.#enterByLink(token, link, below));
  }

  /** By the address of a port. Undefined: a browser was sent on without the link. */
  #enterHost(exchange: Exchange, target: string, to: PreviewedPort): Lead | undefined {
    const { engine } = this.#options;
    checkTarget(target);
    const { link, ...admission } = admit(exchange.request, target, to, engine);
    if (link !== undefined) {
      const isKey = () => false;
      const isToken = (text: string) => text === link.token;
      const clean = targetWithoutCredentials(target, { isKey, isToken });
      if (keepLink(exchange, link, clean)) return undefined;
    }
    return { ...admission, ...to, target, answerFields: answerAtOwnHost };
  }

  #enterByKey(exchange: Exchange, prefix: string, rest: string | undefined): Lead {
    const { engine } = this.#options;
    const target = targetOf(rest);
    const { request } = exchange;
    const query = { get: (name: 'access_token') => parameterOf(target, name) };
    const isUpgrade = request.headers.upgrade !== undefined;
    if (isUpgrade) authenticate(exchange, engine, upgradeKeyOf({ request, query }));
    else authenticate(exchange, engine);
    const port = portOf(exchange.param('port'));
    const sandbox = exchange.param('id');
    const { principal } = exchange;
    const holds = () => engine.keys.principal(principal.keyId) !== undefined;
    const answerFields = answerBelow(prefix);
    return { principal, sandbox, port, target, prefix, holds, answerFields };
  }

  #enterByLink(token: string, prefix: string, rest: string | undefined): Lead {
    const { keys, ports } = this.#options.engine;
    const grant = ports.open(token);
    const target = targetOf(rest);
    refuseOtherPaths(grant, target);
    const holds = () => keys.principal(grant.principal.keyId) !== undefined;
    return { ...grant, target, holds, answerFields: answerBelow(prefix) };
  }
}

function targetOf(rest = '/'): string {
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  checkTarget(target);
  return target;
}

/** Only paths in ASCII: no `http://other/`, no `*`. @throws SandportFault `invalid_request` */
function checkTarget(target: string): void {
  if (!/^\/[!-~]*$/.test(target))
    throw new SandportFault(
      'invalid_request',
      'The target of a request to a port must be a path, percent-encoded.',
      { field: 'path' },
    );
}

/** @throws SandportFault `invalid_request` */
export function portOf(text: string): number {
  const port = portNumberSchema.safeParse(/^\d{1,5}$/.test(text) ? Number(text) : undefined);
  if (port.success) return port.data;
  throw new SandportFault('invalid_request', 'A port is a number from 1 to 65535.', {
    field: 'port',
  });
}
