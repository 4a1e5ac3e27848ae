import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const blockBytes = 256 * 1024;
const block = Buffer.alloc(blockBytes, 'sandport benchmark data\n');

/** A stream of `sizeBytes` bytes that costs next to nothing to make. */
export function bytesOfSize(sizeBytes: number): Readable {
  let left = sizeBytes;
  return new Readable({
    highWaterMark: blockBytes,
    read() {
      if (left === 0) return void this.push(null);
      const chunk = left >= blockBytes ? block : block.subarray(0, left);
      left -= chunk.length;
      this.push(chunk);
    },
  });
}

export interface ByteTarget {
  /** Address without the path of the file. */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A plain HTTP client for one target, with one connection that stays open: the same for the floor
 * and for the daemon, so that the difference is the servers'.
 */
export class ByteClient {
  readonly #target: ByteTarget;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(target: ByteTarget) {
    this.#target = target;
  }

  /** Writes a file of that many bytes. Rejects when the answer is no success. */
  async put(path: string, sizeBytes: number): Promise<void> {
    const { sent, answer } = this.#open('PUT', path, { 'content-length': String(sizeBytes) });
    if (sizeBytes <= blockBytes) sent.end(block.subarray(0, sizeBytes));
    else await pipeline(bytesOfSize(sizeBytes), sent);
    await drain(await answer);
  }

  /** Reads a file to its end and resolves to its size in bytes. */
  async get(path: string): Promise<number> {
    const { sent, answer } = this.#open('GET', path, {});
    sent.end();
    return drain(await answer);
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(method: string, path: string, headers: Record<string, string>) {
    const url = new URL(this.#target.baseUrl);
    url.searchParams.set('path', path);
    const sent = request(url, {
      method,
      agent: this.#agent,
      headers: { ...this.#target.headers, ...headers },
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.once('error', reject);
    });
    return { sent, answer };
  }
}

/** Reads an answer to its end and counts its bytes, without an iterator's cost a chunk. */
function drain(message: IncomingMessage): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    message.once('error', reject);
    message.once('end', () => {
      const status = message.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve(bytes);
      else reject(new Error(`answer ${status}`));
    });
  });
}
