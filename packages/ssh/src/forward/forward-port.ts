import { once } from 'node:events';
import type { PortConnection } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { ServerChannel, TcpipRequestInfo } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { ChannelWriter } from '../library/channel-writer.ts';
import { OpenFailure, type Refusal } from '../library/protocol-inside.ts';
import { end } from '../session/end-channel.ts';

/** Names of the sandbox's own loopback; nothing else is forwarded to. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::']);

export const isForwarded = ({ destIP, destPort }: TcpipRequestInfo): boolean =>
  loopback.has(destIP.toLowerCase()) && destPort >= 1 && destPort <= 65_535;

/**
 * Connects to a port in the sandbox and lets `accept` open the channel to it; `refuse` if not.
 * Resolves when the channel is closed at both ends.
 */
export async function forwardPort(
  context: ConnectionContext,
  { destPort }: TcpipRequestInfo,
  accept: () => ServerChannel | undefined,
  refuse: (why: Refusal) => void,
): Promise<void> {
  const { engine, loggedIn, socket, logger } = context;
  let port: PortConnection;
  try {
    const { principal, sandbox } = loggedIn;
    port = await engine.commands.connect(principal, sandbox, destPort);
  } catch (error) {
    const isFault = error instanceof SandportFault;
    if (!isFault) logger.error({ err: error }, 'a forward failed');
    const sentence = isFault ? error.message : 'The sandbox cannot be reached.';
    refuse({ code: OpenFailure.connectFailed, sentence });
    return;
  }
  port.on('error', () => undefined);
  const channel = socket.destroyed ? undefined : accept();
  if (channel === undefined) port.destroy();
  else await carry(context, channel, port);
}

async function carry(
  { connection, socket, logger, channels }: ConnectionContext,
  channel: ServerChannel,
  port: PortConnection,
): Promise<void> {
  const closed = channels.hold(channel);
  closed.addEventListener('abort', () => port.destroy(), { once: true });
  port.once('close', () => end(channel));
  channel.pipe(port);
  const writer = new ChannelWriter(channel, { connection, socket, closed });
  try {
    for await (const chunk of port.iterator({ destroyOnReturn: false }))
      if (!(await writer.write('stdout', chunk))) break;
  } catch (error) {
    logger.debug({ err: error }, 'a forward broke');
  }
  if (closed.aborted) return;
  channel.eof();
  await once(closed, 'abort');
}
