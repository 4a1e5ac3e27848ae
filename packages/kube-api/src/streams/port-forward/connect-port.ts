import type { Duplex } from 'node:stream';
import type { PortForwardTarget } from '../pod-streams.ts';

const connectTimeoutMs = 30_000;

/** A port of a pod, from its number in decimal digits. Undefined when it is none. */
export function parsePort(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/**
 * Connects to a port of the pod, for no longer than `client` lives.
 * @throws Error with a sentence for the client
 */
export async function connectPort(
  target: PortForwardTarget,
  port: number,
  client: Duplex,
): Promise<Duplex> {
  const connecting = target.connect(port);
  let givenUp = false;
  connecting.then(
    (connection) => {
      if (givenUp) connection.on('error', () => {}).destroy();
    },
    () => {},
  );
  return new Promise((resolve, reject) => {
    const giveUp = (why: string) => () => {
      givenUp = true;
      settle();
      reject(new Error(why));
    };
    const clientClosed = giveUp('the client has gone');
    const timer = setTimeout(
      giveUp(`port ${port} did not answer within ${connectTimeoutMs / 1000} s`),
      connectTimeoutMs,
    );
    const settle = () => {
      clearTimeout(timer);
      client.off('close', clientClosed);
    };
    client.once('close', clientClosed);
    connecting.then(resolve, reject).finally(settle);
  });
}
