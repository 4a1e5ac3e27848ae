import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import ssh2, { type ConnectConfig } from 'ssh2';
import type { SshHome } from './ssh-home.ts';

/** A client that does what no honest one does, on a connection of its own. */
export class RawClient implements Disposable {
  readonly client = new ssh2.Client();

  /** Logs in with the key of `home`. */
  static async open(home: SshHome, username: string): Promise<RawClient> {
    const raw = new RawClient();
    raw.client.on('error', () => {});
    const ready = once(raw.client, 'ready');
    raw.client.connect(place(home, { username, privateKey: readFileSync(home.key) }));
    await ready;
    // The client writes a packet in pieces, which the kernel would hold back.
    raw.client.setNoDelay(true);
    return raw;
  }

  /** A channel with the sftp subsystem, as bytes. */
  sftp(): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      this.client.subsys('sftp', (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  /** A channel to a port of the sandbox. @throws Error why it is refused */
  forward(port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      this.client.forwardOut('127.0.0.1', 1, '127.0.0.1', port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  [Symbol.dispose](): void {
    this.client.end();
    this.client.destroy();
  }
}

const place = (home: SshHome, config: ConnectConfig): ConnectConfig => ({
  host: home.host,
  port: home.port,
  readyTimeout: 60_000,
  ...config,
});

/**
 * Tries wrong passwords on one connection until the daemon ends it.
 * @returns how many were refused
 */
export function guess(home: SshHome, username: string): Promise<number> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    let tried = 0;
    client.on('error', () => {});
    client.on('close', () => resolve(tried));
    client.connect(
      place(home, {
        username,
        authHandler: (_left, _partial, next) => {
          tried += 1;
          next({ type: 'password', username, password: `sp_${'0'.repeat(28)}${tried}` });
        },
      }),
    );
  });
}

/** A packet of SFTP: its type, then its fields. */
export function packet(type: number, ...fields: (number | bigint | string | Buffer)[]): Buffer {
  const parts = fields.map((field) => {
    if (typeof field === 'number') {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(field);
      return bytes;
    }
    if (typeof field === 'bigint') {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(field);
      return bytes;
    }
    const bytes = Buffer.from(field);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  const body = Buffer.concat([Buffer.from([type]), ...parts]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Reads packets of SFTP off a channel. */
export class Answers {
  readonly #packets: Buffer[] = [];
  #bytes = Buffer.alloc(0);
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(channel: Duplex) {
    const over = () => {
      this.#isOver = true;
      this.#wake?.();
    };
    channel.on('data', (chunk: Buffer) => this.#add(chunk));
    channel.once('close', over);
    channel.once('end', over);
  }

  /** The next packet without its length; undefined when the channel has ended. */
  async next(): Promise<Buffer | undefined> {
    while (this.#packets.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#packets.shift();
  }

  #add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const end = this.#bytes.length < 4 ? Number.NaN : 4 + this.#bytes.readUInt32BE(0);
      if (!(end <= this.#bytes.length)) break;
      this.#packets.push(this.#bytes.subarray(4, end));
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake?.();
  }
}
