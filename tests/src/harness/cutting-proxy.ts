import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy whose connections break when a test wants it. */
export class CuttingProxy implements AsyncDisposable {
  /** How many connections broke. */
  cuts = 0;
  /** Done at the next cut, which then ends all connections; new ones wait for it. */
  atNextCut: (() => Promise<unknown>) | undefined;
  #meanwhile: Promise<unknown> | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes that still pass on their way to the daemon, for each of the coming cuts. */
  readonly #plan: number[] = [];
  /** The same for bytes on their way from the daemon. */
  readonly #answerPlan: number[] = [];

  private constructor(target: () => string) {
    this.#server = createServer(async (client) => {
      client.on('error', () => undefined);
      await this.#meanwhile;
      this.#join(client, target());
    });
  }

  /** @param target address of the daemon, asked for at every connection */
  static async start(target: () => string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // A TCP server's address.
    return `http://127.0.0.1:${port}`;
  }

  /** Breaks the connection that carries the last of so many bytes; several cuts follow each other. */
  cutAfter(...bytes: number[]): void {
    this.#plan.push(...bytes);
  }

  /** The same for bytes that come from the daemon. */
  cutAnswersAfter(...bytes: number[]): void {
    this.#answerPlan.push(...bytes);
  }

  /** Forgets cuts that have not come. */
  clear(): void {
    this.#plan.length = 0;
    this.#answerPlan.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, target: string): void {
    const { hostname, port } = new URL(target);
    const daemon = connect(Number(port), hostname);
    for (const socket of [client, daemon]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        daemon.destroy();
      });
    }
    this.#pass(client, daemon, this.#plan);
    this.#pass(daemon, client, this.#answerPlan);
  }

  #pass(from: Socket, to: Socket, plan: number[]): void {
    from.on('end', () => to.end());
    from.on('data', (chunk: Buffer) => {
      const [left] = plan;
      if (left !== undefined && chunk.length >= left) {
        plan.shift();
        this.cuts += 1;
        to.end(chunk.subarray(0, left), () => to.destroy());
        from.destroy();
        this.#meanwhile = this.atNextCut?.();
        if (this.atNextCut !== undefined)
          for (const socket of this.#sockets) if (socket !== to) socket.destroy();
        this.atNextCut = undefined;
        return;
      }
      if (left !== undefined) plan[0] = left - chunk.length;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  }
}
