import { KubeError } from '../../objects/kube-error.ts';
import type { PodRequest, PortForwardTarget } from '../pod-streams.ts';
import type { ChannelSession } from '../websocket/channel-session.ts';
import { connectPort, parsePort } from './connect-port.ts';

/** Channels are numbered in one byte, and the last one is taken. */
const maxPorts = 127;

/**
 * The ports of `ports=8080&ports=9090` or `ports=8080,9090`.
 * @throws KubeError `BadRequest`
 */
export function queryPorts(query: URLSearchParams): readonly number[] {
  const texts = query.getAll('ports').flatMap((value) => value.split(','));
  if (texts.length === 0 || texts.length > maxPorts)
    throw new KubeError('BadRequest', `query parameter "ports" must name 1 to ${maxPorts} ports`);
  return texts.map((text) => {
    const port = parsePort(text);
    if (port === undefined)
      throw new KubeError(
        'BadRequest',
        `query parameter "ports": ${JSON.stringify(text)} is no port`,
      );
    return port;
  });
}

/** Channel 2i carries the bytes of port i, channel 2i+1 what goes wrong with it. */
export const portChannels = (ports: readonly number[]): readonly number[] =>
  ports.flatMap((_, index) => [2 * index, 2 * index + 1]);

/**
 * Forwards one connection to each port over the channels of a WebSocket, each of which begins with
 * the port in two bytes, the lower one first. The protocol cannot tell a client that one of them
 * has ended: the WebSocket closes when all have.
 */
export async function forwardChannels(
  session: ChannelSession,
  ports: readonly number[],
  target: PortForwardTarget,
  pod: PodRequest,
): Promise<void> {
  await Promise.all(ports.map((port, index) => forwardChannel(session, port, index, target, pod)));
  session.close();
}

async function forwardChannel(
  session: ChannelSession,
  port: number,
  index: number,
  target: PortForwardTarget,
  { namespace, name }: PodRequest,
): Promise<void> {
  const data = session.stream(2 * index);
  const error = session.stream(2 * index + 1);
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16LE(port);
  data.write(prefix);
  error.write(prefix);
  error.resume();
  try {
    const connection = await connectPort(target, port, data);
    connection.on('error', () => {});
    data.once('close', () => connection.destroy());
    data.pipe(connection);
    connection.pipe(data);
    await new Promise((resolve) => {
      data.once('finish', resolve).once('close', resolve);
      connection.once('close', resolve);
    });
    connection.destroy();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `error forwarding port ${port} to pod ${name} in namespace ${namespace}: ${reason}`;
    await new Promise<void>((resolve) => {
      error.once('close', resolve).end(message, resolve);
    });
  }
}
