import type { WebSocket } from 'ws';
import { ChannelSession } from '../websocket/channel-session.ts';
import type { ExecQuery } from './exec-query.ts';
import type { ExecWire } from './exec-wire.ts';

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** The session of a WebSocket that speaks `v4.channel.k8s.io` or `v5.channel.k8s.io`. */
export const execChannels = (webSocket: WebSocket, protocol: string): ChannelSession =>
  new ChannelSession(webSocket, {
    channels: Object.values(channels),
    canEndChannels: protocol === 'v5.channel.k8s.io',
  });

/** The streams that the query asks for; what comes on others is left unread and thrown away. */
export function channelWire(session: ChannelSession, query: ExecQuery): ExecWire {
  const wanted = { ...query, error: true, resize: query.tty };
  const stream = (name: keyof typeof channels) => {
    const found = session.stream(channels[name]);
    if (wanted[name]) return found;
    found.destroy();
    return undefined;
  };
  return {
    stdin: stream('stdin'),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    resize: stream('resize'),
    error: session.stream(channels.error),
    signal: session.signal,
  };
}
