import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

/** A client of the `channel.k8s.io` protocols that shows what it got. */
export class ChannelClient {
  readonly socket: WebSocket;
  /** All that came, by channel. */
  readonly received = new Map<number, Buffer>();
  /** The number of the first message's channel. */
  first: number | undefined;
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const [channel = -1] = data;
      this.first ??= channel;
      this.received.set(channel, Buffer.concat([this.bytes(channel), data.subarray(1)]));
    });
    socket.on('error', () => {});
    this.closed = once(socket, 'close').then(([code]) => Number(code));
  }

  static async open(
    url: string,
    protocols: readonly string[],
    options: ClientOptions = {},
  ): Promise<ChannelClient> {
    const socket = new WebSocket(url.replace('http', 'ws'), [...protocols], options);
    const client = new ChannelClient(socket);
    await once(client.socket, 'open');
    return client;
  }

  bytes(channel: number): Buffer {
    return this.received.get(channel) ?? Buffer.alloc(0);
  }

  text(channel: number): string {
    return this.bytes(channel).toString();
  }

  send(channel: number, payload: string | Buffer): void {
    this.socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]));
  }
}
