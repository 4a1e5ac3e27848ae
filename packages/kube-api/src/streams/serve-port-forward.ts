import type { PeerStream } from './peer/peer-stream.ts';
import { forwardChannels, portChannels, queryPorts } from './port-forward/channel-port-forward.ts';
import { SpdyPortForward } from './port-forward/spdy-port-forward.ts';
import type { PortForwardTarget } from './pod-streams.ts';
import type { SpdyHeaders } from './spdy/header-block.ts';
import { SpdySession } from './spdy/spdy-session.ts';
import type { StreamUpgrade } from './stream-upgrade.ts';
import { chooseProtocol, type StreamProtocol } from './upgrade/choose-protocol.ts';
import { prepareSocket } from './upgrade/prepare-socket.ts';
import { switchToSpdy } from './upgrade/switch-to-spdy.ts';
import { acceptWebSocket } from './websocket/accept-web-socket.ts';
import { ByteTunnel, maxTunnelMessageBytes } from './websocket/byte-tunnel.ts';
import { ChannelSession, maxChannelMessageBytes } from './websocket/channel-session.ts';

const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
const protocols = {
  spdy: ['portforward.k8s.io'],
  websocket: [tunnelProtocol, 'v4.channel.k8s.io'],
};

/**
 * Answers `…/pods/{name}/portforward` over SPDY, over SPDY in a WebSocket, or over the channels of
 * a WebSocket, whichever the request asks for. Resolves when the socket is done with.
 * @throws KubeError when the request cannot be served: nothing has been answered then
 */
export async function servePortForward(upgrade: StreamUpgrade): Promise<void> {
  prepareSocket(upgrade);
  const { request, query, pods, pod } = upgrade;
  const protocol = chooseProtocol(request, protocols);
  const isSpdy = protocol.carrier === 'spdy' || protocol.name === tunnelProtocol;
  const ports = isSpdy ? [] : queryPorts(query);
  const target = await pods.portForward(pod);
  const session = isSpdy
    ? await openSpdy(upgrade, protocol, target)
    : await openChannels(upgrade, protocol, target, ports);
  await session?.closed;
}

async function openSpdy(
  upgrade: StreamUpgrade,
  { carrier, name }: StreamProtocol,
  target: PortForwardTarget,
): Promise<SpdySession | undefined> {
  const forward = new SpdyPortForward(target, upgrade.pod);
  const open = (stream: PeerStream, headers: SpdyHeaders) => forward.opened(stream, headers);
  return carrier === 'spdy'
    ? new SpdySession(switchToSpdy(upgrade, name), { open })
    : acceptWebSocket(
        upgrade,
        { name, maxMessageBytes: maxTunnelMessageBytes },
        (webSocket) => new SpdySession(new ByteTunnel(webSocket), { open }),
      );
}

async function openChannels(
  upgrade: StreamUpgrade,
  { name }: StreamProtocol,
  target: PortForwardTarget,
  ports: readonly number[],
): Promise<ChannelSession | undefined> {
  const session = await acceptWebSocket(
    upgrade,
    { name, maxMessageBytes: maxChannelMessageBytes },
    (webSocket) =>
      new ChannelSession(webSocket, { channels: portChannels(ports), canEndChannels: false }),
  );
  if (session !== undefined) void forwardChannels(session, ports, target, upgrade.pod);
  return session;
}
