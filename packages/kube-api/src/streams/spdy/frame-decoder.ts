import { finFlag, frameHeadBytes } from './frames.ts';
import { SpdyError } from './spdy-error.ts';

/** Control frames are gathered whole before they are read; none that is needed comes near this. */
const maxControlFrameBytes = 64 * 1024;

export interface FrameHandler {
  control(type: number, flags: number, payload: Buffer): void;
  /** A part of the payload of a DATA frame. Not a copy: it shares memory with what was decoded. */
  data(streamId: number, bytes: Buffer): void;
  /** After a DATA frame after which the peer sends nothing more on the stream. */
  dataEnd(streamId: number): void;
}

interface DataFrame {
  readonly streamId: number;
  readonly fin: boolean;
  leftBytes: number;
}

/**
 * Splits a byte stream into SPDY/3.1 frames. Payloads of DATA frames are handed on as they come,
 * whatever length the frame has, so it never holds more than one control frame.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler;
  /** The head of a frame, or a whole control frame, whose beginning came in an earlier chunk. */
  #partial: Buffer | undefined;
  #partialBytes = 0;
  #data: DataFrame | undefined;
  #stopped = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** @throws SpdyError when what came is not SPDY/3.1, and whatever the handler throws */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.#stopped) {
      if (this.#data !== undefined) rest = this.#takeData(rest, this.#data);
      else if (this.#partial !== undefined) rest = this.#takePartial(rest, this.#partial);
      else rest = this.#takeFrame(rest);
    }
  }

  /** Hands nothing on from now, not even of the chunk that is being decoded. */
  stop(): void {
    this.#stopped = true;
    this.#partial = undefined;
  }

  #takeData(rest: Buffer, data: DataFrame): Buffer {
    const bytes = rest.subarray(0, data.leftBytes);
    data.leftBytes -= bytes.length;
    if (data.leftBytes === 0) this.#data = undefined;
    this.#handler.data(data.streamId, bytes);
    if (data.leftBytes === 0 && data.fin) this.#handler.dataEnd(data.streamId);
    return rest.subarray(bytes.length);
  }

  #takePartial(rest: Buffer, partial: Buffer): Buffer {
    const bytes = rest.subarray(0, partial.length - this.#partialBytes);
    bytes.copy(partial, this.#partialBytes);
    this.#partialBytes += bytes.length;
    if (this.#partialBytes === partial.length) {
      this.#partial = undefined;
      this.#take(partial);
    }
    return rest.subarray(bytes.length);
  }

  #takeFrame(rest: Buffer): Buffer {
    const headBytes = Math.min(rest.length, frameHeadBytes);
    const neededBytes = headBytes < frameHeadBytes ? frameHeadBytes : wholeBytes(rest);
    if (rest.length >= neededBytes) this.#take(rest.subarray(0, neededBytes));
    else this.#keep(rest, neededBytes);
    return rest.subarray(Math.min(neededBytes, rest.length));
  }

  #keep(bytes: Buffer, neededBytes: number): void {
    this.#partial = Buffer.alloc(neededBytes);
    this.#partialBytes = bytes.copy(this.#partial);
  }

  /** Takes a control frame, or the head of any frame. */
  #take(bytes: Buffer): void {
    const neededBytes = wholeBytes(bytes);
    if (bytes.length < neededBytes) {
      this.#keep(bytes, neededBytes);
    } else if (isControl(bytes)) {
      const payload = bytes.subarray(frameHeadBytes);
      this.#handler.control(bytes.readUInt16BE(2), bytes.readUInt8(4), payload);
    } else {
      const streamId = bytes.readUInt32BE();
      const fin = (bytes.readUInt8(4) & finFlag) !== 0;
      const leftBytes = bytes.readUIntBE(5, 3);
      if (leftBytes > 0) this.#data = { streamId, fin, leftBytes };
      else if (fin) this.#handler.dataEnd(streamId);
    }
  }
}

const isControl = (head: Buffer): boolean => (head.readUInt8() & 0x80) !== 0;

/** How much of a frame is taken at once: all of a control frame, the head of a DATA frame. */
function wholeBytes(head: Buffer): number {
  if (!isControl(head)) return frameHeadBytes;
  if ((head.readUInt16BE() & 0x7fff) !== 3)
    throw new SpdyError('What came is not a frame of SPDY/3.');
  const payloadBytes = head.readUIntBE(5, 3);
  if (payloadBytes > maxControlFrameBytes)
    throw new SpdyError(`A control frame is larger than ${maxControlFrameBytes} bytes.`);
  return frameHeadBytes + payloadBytes;
}
