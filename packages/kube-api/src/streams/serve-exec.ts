import { channelWire, execChannels } from './exec/channel-exec.ts';
import { type ExecQuery, readExecQuery } from './exec/exec-query.ts';
import { runExec } from './exec/run-exec.ts';
import { SpdyExec } from './exec/spdy-exec.ts';
import { SpdySession } from './spdy/spdy-session.ts';
import type { StreamUpgrade } from './stream-upgrade.ts';
import { chooseProtocol } from './upgrade/choose-protocol.ts';
import { prepareSocket } from './upgrade/prepare-socket.ts';
import { switchToSpdy } from './upgrade/switch-to-spdy.ts';
import { acceptWebSocket } from './websocket/accept-web-socket.ts';
import { maxChannelMessageBytes } from './websocket/channel-session.ts';
import { peerReadiness } from './websocket/peer-readiness.ts';

const protocols = {
  spdy: ['v4.channel.k8s.io'],
  websocket: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
};

/**
 * Answers `…/pods/{name}/exec` over SPDY or over the channels of a WebSocket, whichever the request
 * asks for. The command and its streams are read from the request's query. Resolves when the socket
 * is done with.
 * @throws KubeError when the request cannot be served: nothing has been answered then
 */
export async function serveExec(upgrade: StreamUpgrade): Promise<void> {
  prepareSocket(upgrade);
  const { carrier, name } = chooseProtocol(upgrade.request, protocols);
  const query = readExecQuery(upgrade.query);
  if (carrier === 'spdy') await execSpdy(upgrade, query, name);
  else await execChannel(upgrade, query, name);
}

async function execSpdy(upgrade: StreamUpgrade, query: ExecQuery, protocol: string): Promise<void> {
  const exec = new SpdyExec(query);
  const session = new SpdySession(switchToSpdy(upgrade, protocol), {
    open: (stream, headers) => exec.opened(stream, headers),
  });
  const wire = await exec.wire(session);
  if (wire !== undefined) await runExec(upgrade, query, wire);
  session.close();
  await session.closed;
}

async function execChannel(
  upgrade: StreamUpgrade,
  query: ExecQuery,
  protocol: string,
): Promise<void> {
  const accepted = await acceptWebSocket(
    upgrade,
    { name: protocol, maxMessageBytes: maxChannelMessageBytes },
    (webSocket) => ({
      session: execChannels(webSocket, protocol),
      ready: peerReadiness(webSocket),
    }),
  );
  if (accepted === undefined) return;
  const { session, ready } = accepted;
  await ready;
  const wire = channelWire(session, query);
  // Some clients take the first message as the sign that they may begin.
  (wire.stdout ?? wire.stderr ?? wire.error).write(Buffer.alloc(0));
  await runExec(upgrade, query, wire);
  session.close();
  await session.closed;
}
