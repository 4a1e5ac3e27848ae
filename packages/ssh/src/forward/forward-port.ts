import { SandportFault } from '@sandport/protocol';
import type { ServerChannel, TcpipRequestInfo } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { ChannelWriter } from '../library/channel-writer.ts';

/** Names of the sandbox's own loopback; nothing else is forwarded to. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::']);

export const isForwarded = ({ destIP, destPort }: TcpipRequestInfo): boolean =>
  loopback.has(destIP) && destPort >= 1 && destPort <= 65_535;

/** Connects to a port in the sandbox and lets `accept` open the channel to it; `reject` if not. */
export async function forwardPort(
  { engine, loggedIn, socket, logger, channels }: ConnectionContext,
  { destPort }: TcpipRequestInfo,
  accept: () => ServerChannel | undefined,
  reject: () => void,
): Promise<void> {
  try {
    const { principal, sandbox } = loggedIn;
    const connection = await engine.commands.connect(principal, sandbox, destPort);
    connection.on('error', () => undefined);
    const channel = socket.destroyed ? undefined : accept();
    if (channel === undefined) {
      connection.destroy();
      return;
    }
    const closed = channels.hold(channel);
    closed.addEventListener('abort', () => connection.destroy(), { once: true });
    channel.on('error', () => connection.destroy());
    channel.pipe(connection);
    connection.once('close', () => {
      channel.end();
      channel.resume();
    });
    const writer = new ChannelWriter(channel, socket, closed);
    for await (const chunk of connection.iterator({ destroyOnReturn: false }))
      if (!(await writer.write('stdout', chunk))) break;
    channel.eof();
  } catch (error) {
    if (!(error instanceof SandportFault)) logger.debug({ err: error }, 'a forward broke');
    reject();
  }
}
