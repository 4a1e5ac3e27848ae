/** One message, as it travels. */
export interface Frame {
  readonly type: number;
  /** Id of the command, 0 when the message is about none. */
  readonly id: number;
  readonly payload: Buffer;
}

const LENGTH_BYTES = 4;
const HEAD_BYTES = 5;

/** Length word, type and id; the payload follows. */
export function encodeFrame(type: number, id: number, payload?: Uint8Array): Buffer {
  const payloadBytes = payload?.length ?? 0;
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + HEAD_BYTES + payloadBytes);
  frame.writeUInt32LE(HEAD_BYTES + payloadBytes, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32LE(id, 5);
  if (payload !== undefined) frame.set(payload, LENGTH_BYTES + HEAD_BYTES);
  return frame;
}

/** The peer sent a length that no frame has. */
export class FrameLengthError extends Error {
  override readonly name = 'FrameLengthError';
}

/**
 * Cuts a stream of bytes into frames. Holds at most one unfinished frame, of at most
 * `maxBytes`. Payloads share memory with the chunks they came in.
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True between two frames. */
  get idle(): boolean {
    return this.#lengthBytes === 0;
  }

  /** @throws FrameLengthError; the reader cannot go on then. */
  *read(chunk: Buffer): Generator<Frame, void, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        const taken = chunk.copy(this.#length, this.#lengthBytes, at);
        this.#lengthBytes += taken;
        at += taken;
        if (this.#lengthBytes < LENGTH_BYTES) return;
      }
      const size = this.#length.readUInt32LE(0);
      if (size < HEAD_BYTES || size > this.#maxBytes) {
        throw new FrameLengthError(`a frame of ${size} bytes`);
      }
      let body: Buffer;
      if (this.#body === undefined && chunk.length - at >= size) {
        body = chunk.subarray(at, at + size);
        at += size;
      } else {
        this.#body ??= Buffer.allocUnsafe(size);
        const taken = chunk.copy(this.#body, this.#bodyBytes, at);
        this.#bodyBytes += taken;
        at += taken;
        if (this.#bodyBytes < size) return;
        body = this.#body;
      }
      this.#body = undefined;
      this.#bodyBytes = 0;
      this.#lengthBytes = 0;
      yield {
        type: body.readUInt8(0),
        id: body.readUInt32LE(1),
        payload: body.subarray(HEAD_BYTES),
      };
    }
  }
}
