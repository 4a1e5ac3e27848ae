import type { Engine } from '@sandport/engine';
import { maxSocketMessageBytes, SandportFault } from '@sandport/protocol';
import type { Exchange } from '../../../http/exchange.ts';
import type { Route } from '../../../http/router.ts';
import type { Upgrade } from '../../../http/upgrade.ts';
import { acceptWebSocket } from '../../../http/web-socket/accept-web-socket.ts';
import { requireHandshake } from '../../../http/web-socket/require-handshake.ts';
import { ExecSession } from './exec-session.ts';
import { openTerminal } from './open-terminal.ts';
import { TerminalSession } from './terminal-session.ts';

export interface SocketRoutesOptions {
  readonly stopping: AbortSignal;
  /** Called with errors that are no answers to clients. */
  readonly onUnexpected: (error: unknown) => void;
}

/** Commands over WebSockets: many over one, and terminals. */
export function socketRoutes(engine: Engine, options: SocketRoutesOptions): Route[] {
  const { stopping, onUnexpected } = options;
  const limits = { maxMessageBytes: maxSocketMessageBytes, stopping };
  const terminal = async (upgrade: Upgrade) => {
    requireHandshake(upgrade.exchange.request.headers);
    const target = await openTerminal(upgrade.exchange, engine);
    acceptWebSocket(upgrade, limits, (webSocket) => {
      void new TerminalSession(webSocket, target, onUnexpected);
    });
  };
  const sandbox = '/v1/sandboxes/:id';
  return [
    {
      method: 'GET',
      path: `${sandbox}/exec/ws`,
      handle: requireUpgrade,
      upgrade: async (upgrade) => {
        requireHandshake(upgrade.exchange.request.headers);
        const { principal } = upgrade.exchange;
        const { id } = engine.sandboxes.get(principal, upgrade.exchange.param('id'));
        acceptWebSocket(upgrade, limits, (webSocket) => {
          void new ExecSession(webSocket, { engine, principal, sandbox: id, onUnexpected });
        });
      },
    },
    { method: 'GET', path: `${sandbox}/exec/pty`, handle: requireUpgrade, upgrade: terminal },
    { method: 'GET', path: `${sandbox}/ssh`, handle: requireUpgrade, upgrade: terminal },
  ];
}

/** Answers a plain request to a route that only speaks WebSocket. */
function requireUpgrade({ route, response }: Exchange): never {
  response.setHeader('Upgrade', 'websocket');
  throw new SandportFault('upgrade_required', `${route} speaks WebSocket.`, { route });
}
