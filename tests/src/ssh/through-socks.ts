import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/**
 * Asks for a page by way of a SOCKS 5 proxy on this machine.
 * @returns all that is answered; nothing when the proxy does not get there
 */
export async function getThroughSocks(
  proxyPort: number,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const socket = connect(proxyPort, '127.0.0.1');
  let answer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
  });
  socket.on('error', () => socket.destroy());
  const closed = once(socket, 'close');
  const answered = async (bytes: number) => {
    while (answer.length < bytes && !socket.closed)
      await Promise.race([once(socket, 'data'), closed]).then(() => setImmediate());
    const taken = answer.subarray(0, bytes);
    answer = answer.subarray(bytes);
    return taken;
  };
  try {
    socket.write(Buffer.from([5, 1, 0]));
    await answered(2);
    const name = Buffer.from(host);
    const place = Buffer.from([port >> 8, port & 0xff]);
    socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, place]));
    await answered(10);
    socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    await closed;
    return answer.toString();
  } finally {
    socket.destroy();
  }
}
