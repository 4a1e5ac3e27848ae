import type { IncomingMessage } from 'node:http';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { endUnless } from '../http/end-when-revoked.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/router.ts';
import { tellWhenWoken } from '../native/waking.ts';
import { AnswerTimeoutError, BadAnswerError, type Destination } from '../proxy/destination.ts';
import { endToEndFields, type Fields } from '../proxy/fields.ts';
import { proxyRequest } from '../proxy/proxy-request.ts';
import { proxyUpgrade } from '../proxy/proxy-upgrade.ts';
import { type Secrets, targetWithoutCredentials, withoutCredentials } from './credentials.ts';
import { errorPage, errorPagePolicy, wantsPage } from './error-page.ts';
import type { Lead } from './lead.ts';

/** How long a server may take before its answer begins, in milliseconds. */
const answerTimeoutMs = 300_000;

/**
 * A way to ports of sandboxes.
 * @param path for the log
 * @param enter lets a request in; undefined: it has answered it
 */
export function previewRoute(
  engine: Engine,
  path: string,
  enter: (exchange: Exchange) => Lead | undefined,
): Route {
  const withLead = async (
    exchange: Exchange,
    isUpgrade: boolean,
    use: (destination: Destination) => Promise<void>,
  ): Promise<void> => {
    const lead = enter(exchange);
    if (lead === undefined) return;
    const { holds, expiresAt = new Date(8.64e15) } = lead;
    endUnless(exchange, () => holds() && !(isUpgrade && expiresAt.getTime() <= Date.now()));
    try {
      await use(destinationOf(exchange, lead, engine));
    } catch (error) {
      throw faultOf(error, lead);
    }
  };
  return {
    method: 'GET',
    path,
    open: true,
    anyProtocol: true,
    handle: async (exchange) => {
      try {
        await withLead(exchange, false, (destination) => proxyRequest(exchange, destination));
      } catch (error) {
        const isShown = error instanceof SandportFault && wantsPage(exchange.request);
        if (!isShown || exchange.response.headersSent) throw error;
        answerWithPage(exchange, error);
      }
    },
    upgrade: ({ exchange, socket, head }) =>
      withLead(exchange, true, (destination) =>
        proxyUpgrade({ request: exchange.request, socket, head }, destination),
      ),
  };
}

function destinationOf(exchange: Exchange, lead: Lead, engine: Engine): Destination {
  const { request, signal } = exchange;
  const secrets: Secrets = {
    isKey: (text) => engine.keys.authenticate(text) !== undefined,
    isToken: (text) => engine.ports.isToken(text),
  };
  const { principal, sandbox, port } = lead;
  const options = { signal, ...tellWhenWoken(exchange) };
  return {
    connect: () => engine.ports.connect(principal, sandbox, port, options),
    target: targetWithoutCredentials(lead.target, secrets),
    host: request.headers.host ?? 'localhost',
    requestFields: [
      ...withoutCredentials(endToEndFields(request), secrets).filter(
        ([name]) => !forwarding.has(name.toLowerCase()),
      ),
      ...forwardingFields(request, lead.prefix),
    ],
    answerFields: lead.answerFields,
    answerTimeoutMs,
  };
}

/** Fields that tell a server behind a proxy about the client. */
const forwarding: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-prefix',
  'x-forwarded-proto',
]);

function forwardingFields(
  { headers, socket }: IncomingMessage,
  prefix: string | undefined,
): Fields {
  const before = headers['x-forwarded-for'];
  const client = socket.remoteAddress ?? 'unknown';
  const host = headers['x-forwarded-host'] ?? headers.host;
  return [
    ['X-Forwarded-For', before === undefined ? client : `${String(before)}, ${client}`],
    ['X-Forwarded-Proto', headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'],
    ...(host === undefined ? [] : ([['X-Forwarded-Host', String(host)]] as const)),
    ...(prefix === undefined ? [] : ([['X-Forwarded-Prefix', prefix]] as const)),
  ];
}

function faultOf(error: unknown, { sandbox, port }: Lead): unknown {
  if (error instanceof BadAnswerError)
    return new SandportFault(
      'bad_port_answer',
      `What listens on port ${port} of the sandbox did not answer with HTTP.`,
      { sandbox, port },
      { cause: error },
    );
  if (error instanceof AnswerTimeoutError)
    return new SandportFault(
      'port_timeout',
      `The server on port ${port} of the sandbox has not answered for ${answerTimeoutMs / 1000} s.`,
      { sandbox, port },
      { cause: error },
    );
  return error;
}

function answerWithPage(exchange: Exchange, fault: SandportFault): void {
  const page = Buffer.from(errorPage(fault));
  exchange.errorCode = fault.code;
  exchange.response.writeHead(fault.status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': page.length,
    'Content-Security-Policy': errorPagePolicy,
    'Cache-Control': 'no-store',
  });
  exchange.response.end(page);
}
