import type { Duplex } from 'node:stream';
import { constants, createDeflate, type Deflate } from 'node:zlib';
import { FrameDecoder } from '../streams/spdy/frame-decoder.ts';
import { dataHead, frameTypes, pingFrame } from '../streams/spdy/frames.ts';
import { headerDictionary } from '../streams/spdy/header-dictionary.ts';

/** What a client got on one stream. */
export interface ReceivedStream {
  bytes: Buffer;
  replied: boolean;
  ended: boolean;
  resetCode: number | undefined;
}

/** Bytes of a header block before compression. */
export function plainHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const sized = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    return Buffer.concat([length, Buffer.from(text)]);
  };
  const count = Buffer.alloc(4);
  count.writeUInt32BE(Object.keys(headers).length);
  return Buffer.concat([count, ...Object.entries(headers).flat().map(sized)]);
}

/** Compresses header blocks as clients do: one zlib stream, flushed after each block. */
export class HeaderCompressor {
  readonly #deflate: Deflate = createDeflate({ dictionary: headerDictionary, level: 9 });

  compress(plain: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const parts: Buffer[] = [];
      const take = (part: Buffer) => parts.push(part);
      this.#deflate.on('data', take);
      this.#deflate.write(plain);
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () =>
        setImmediate(() => {
          this.#deflate.off('data', take);
          resolve(Buffer.concat(parts));
        }),
      );
    });
  }
}

/** Bytes of a control frame. */
export function controlFrame(type: number, payload: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, payload]);
}

export const numbers = (...values: number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );

/** A client of SPDY/3.1 that shows what it got. */
export class SpdyClient {
  readonly streams = new Map<number, ReceivedStream>();
  readonly pings: number[] = [];
  goneAway = false;
  closed = false;
  readonly whenClosed: Promise<void>;
  readonly transport: Duplex;
  readonly #headers = new HeaderCompressor();
  #nextId = 1;

  constructor(transport: Duplex) {
    this.transport = transport;
    const decoder = new FrameDecoder({
      control: (type, _flags, payload) => this.#control(type, payload),
      data: (id, bytes) => {
        const stream = this.stream(id);
        stream.bytes = Buffer.concat([stream.bytes, bytes]);
      },
      dataEnd: (id) => (this.stream(id).ended = true),
    });
    transport.on('data', (chunk: Buffer) => decoder.push(chunk));
    this.whenClosed = new Promise((resolve) => {
      transport.on('close', () => {
        this.closed = true;
        resolve();
      });
    });
    transport.on('end', () => transport.destroy());
    transport.on('error', () => {});
  }

  stream(id: number): ReceivedStream {
    const known = this.streams.get(id);
    if (known !== undefined) return known;
    const stream = { bytes: Buffer.alloc(0), replied: false, ended: false, resetCode: undefined };
    this.streams.set(id, stream);
    return stream;
  }

  async open(headers: Readonly<Record<string, string>>, id = this.#nextId): Promise<number> {
    this.#nextId = id + 2;
    const block = await this.#headers.compress(plainHeaders(headers));
    const payload = Buffer.concat([numbers(id, 0), Buffer.alloc(2), block]);
    this.transport.write(controlFrame(frameTypes.synStream, payload));
    return id;
  }

  send(id: number, bytes: Buffer | string, fin = false): boolean {
    const payload = Buffer.from(bytes);
    this.transport.write(dataHead(id, payload.length, fin));
    return this.transport.write(payload);
  }

  reset(id: number): void {
    this.transport.write(controlFrame(frameTypes.rstStream, numbers(id, 5)));
  }

  ping(id: number): boolean {
    return this.transport.write(pingFrame(id));
  }

  #control(type: number, payload: Buffer): void {
    if (type === frameTypes.ping) this.pings.push(payload.readUInt32BE());
    if (type === frameTypes.goAway) this.goneAway = true;
    if (type === frameTypes.synReply) this.stream(payload.readUInt32BE()).replied = true;
    if (type === frameTypes.rstStream)
      this.stream(payload.readUInt32BE()).resetCode = payload.readUInt32BE(4);
  }
}
