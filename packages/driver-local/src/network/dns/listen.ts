import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { withLength } from './upstream.ts';
import type { Resolver } from './resolver.ts';

/** Largest question that is looked at; a real one is far shorter. */
const mostQuestionBytes = 1024;
/** TCP connections of one sandbox, and how long one may say nothing. */
const mostConnections = 8;
const idleMs = 5_000;
/** Replies that may wait to be read. */
const mostWaitingBytes = 128 * 1024;

/** Where sandboxes ask for names. */
export interface DnsListener extends AsyncDisposable {
  readonly udpPort: number;
  readonly tcpPort: number;
}

/** Listens on an address of this machine, on ports that are free. @throws Error */
export async function listenForQuestions(
  address: string,
  resolver: Resolver,
): Promise<DnsListener> {
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    if (message.length > mostQuestionBytes) return;
    void resolver.answer(message, from.address, { overTcp: false }).then((reply) => {
      // The guest may be gone; a reply that is lost is asked for again.
      if (reply !== undefined) udp.send(reply, from.port, from.address, () => undefined);
    });
  });
  await bound(udp, address);
  udp.on('error', () => undefined);
  const open = new Set<Socket>();
  const tcp = createServer((socket) => serve(socket, resolver, open));
  tcp.listen(0, address);
  try {
    await once(tcp, 'listening');
  } catch (error) {
    udp.close();
    throw error;
  }
  // One that could not be taken in asks again.
  tcp.on('error', () => undefined);
  return {
    udpPort: udp.address().port,
    tcpPort: portOf(tcp),
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      tcp.close();
      udp.close();
      await once(tcp, 'close');
    },
  };
}

async function bound(udp: UdpSocket, address: string): Promise<void> {
  udp.bind(0, address);
  await once(udp, 'listening');
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function serve(socket: Socket, resolver: Resolver, open: Set<Socket>): void {
  const from = socket.remoteAddress ?? '';
  const others = [...open].filter(({ remoteAddress }) => remoteAddress === from).length;
  if (others >= mostConnections) {
    socket.destroy();
    return;
  }
  open.add(socket);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.once('close', () => open.delete(socket));
  void answerAll(socket, from, resolver).catch(() => socket.destroy());
}

/** One question after the other; what is sent meanwhile waits in the kernel. */
async function answerAll(socket: Socket, from: string, resolver: Resolver): Promise<void> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: true })) {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2) {
      const size = received.readUInt16BE(0);
      if (size > mostQuestionBytes) return;
      if (received.length < size + 2) break;
      const reply = await resolver.answer(received.subarray(2, size + 2), from, { overTcp: true });
      received = received.subarray(size + 2);
      if (reply === undefined) return;
      socket.write(withLength(reply));
      // It asks, and does not read.
      if (socket.writableLength > mostWaitingBytes) return;
    }
  }
}
