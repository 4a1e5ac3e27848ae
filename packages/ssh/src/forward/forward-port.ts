import { once } from 'node:events';
import type { PortConnection } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { ServerChannel, TcpipRequestInfo } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { ChannelWriter } from '../library/channel-writer.ts';
import { end } from '../session/end-channel.ts';

/** Names of the sandbox's own loopback; nothing else is forwarded to. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::']);

export const isForwarded = ({ destIP, destPort }: TcpipRequestInfo): boolean =>
  loopback.has(destIP) && destPort >= 1 && destPort <= 65_535;

/**
 * Connects to a port in the sandbox and lets `accept` open the channel to it; `reject` if not.
 * Resolves when the channel is closed at both ends.
 */
export async function forwardPort(
  context: ConnectionContext,
  { destPort }: TcpipRequestInfo,
  accept: () => ServerChannel | undefined,
  reject: () => void,
): Promise<void> {
  const { engine, loggedIn, socket, logger } = context;
  let connection: PortConnection;
  try {
    const { principal, sandbox } = loggedIn;
    connection = await engine.commands.connect(principal, sandbox, destPort);
  } catch (error) {
    if (!(error instanceof SandportFault)) logger.error({ err: error }, 'a forward failed');
    reject();
    return;
  }
  connection.on('error', () => undefined);
  const channel = socket.destroyed ? undefined : accept();
  if (channel === undefined) connection.destroy();
  else await carry(context, channel, connection);
}

async function carry(
  { socket, logger, channels }: ConnectionContext,
  channel: ServerChannel,
  connection: PortConnection,
): Promise<void> {
  const closed = channels.hold(channel);
  closed.addEventListener('abort', () => connection.destroy(), { once: true });
  connection.once('close', () => end(channel));
  channel.pipe(connection);
  const writer = new ChannelWriter(channel, socket, closed);
  try {
    for await (const chunk of connection.iterator({ destroyOnReturn: false }))
      if (!(await writer.write('stdout', chunk))) break;
  } catch (error) {
    logger.debug({ err: error }, 'a forward broke');
  }
  if (closed.aborted) return;
  channel.eof();
  await once(closed, 'abort');
}
