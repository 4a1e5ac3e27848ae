import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** The client's side of a WebSocket's connection, after the handshake, for any bytes. */
export async function rawWebSocket(url: string, protocol: string): Promise<Socket> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  socket.write(
    [
      `GET ${pathname}${search} HTTP/1.1`,
      'Host: toy',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      `Sec-WebSocket-Protocol: ${protocol}`,
      '\r\n',
    ].join('\r\n'),
  );
  let head = Buffer.alloc(0);
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    head = Buffer.concat([head, chunk]);
  }
  socket.pause();
  const text = head.toString('latin1');
  if (!text.startsWith('HTTP/1.1 101') || !text.includes(`Sec-WebSocket-Protocol: ${protocol}\r\n`))
    throw new Error(text);
  const rest = head.subarray(head.indexOf('\r\n\r\n') + 4);
  if (rest.length > 0) socket.unshift(rest);
  return socket;
}

/** A frame of a client, masked with zeros. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const head = Buffer.alloc(size + 4);
  head.writeUInt8(0x80 | opcode);
  head.writeUInt8(0x80 | (size === 2 ? length : size === 4 ? 126 : 127), 1);
  if (size === 4) head.writeUInt16BE(length, 2);
  if (size === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** The bytes of binary messages, as a client of a tunnel has them. */
export function tunnelOf(socket: Socket): Duplex {
  let buffered = Buffer.alloc(0);
  const tunnel = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(clientFrame(2, chunk), () => done());
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const code = (buffered[1] ?? 0) & 0x7f;
      const headBytes = code < 126 ? 2 : code === 126 ? 4 : 10;
      if (buffered.length < headBytes) return;
      const length =
        code < 126
          ? code
          : headBytes === 4
            ? buffered.readUInt16BE(2)
            : Number(buffered.readBigUInt64BE(2));
      if (buffered.length < headBytes + length) return;
      if (((buffered[0] ?? 0) & 0x0f) === 2)
        tunnel.push(buffered.subarray(headBytes, headBytes + length));
      buffered = buffered.subarray(headBytes + length);
    }
  });
  socket.on('close', () => tunnel.destroy());
  return tunnel;
}
