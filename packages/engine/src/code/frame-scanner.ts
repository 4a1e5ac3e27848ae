import { GrowingBytes } from './growing-bytes.ts';
import { type KernelFrame, kernelFrameSchema } from './kernel-protocol.ts';

export type Scanned =
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  | { readonly type: 'frame'; readonly frame: KernelFrame }
  /** A frame that was longer than it may be; nothing of it was kept. */
  | { readonly type: 'dropped' };

/** Takes the frames of a kernel out of what it writes. */
export class FrameScanner {
  readonly #start: Buffer;
  readonly #limitBytes: () => number;
  /** What may be the beginning of a frame. */
  #held: Buffer = Buffer.alloc(0);
  /** Of a frame that has begun, after its mark; `dropped`: it goes on, and is not kept. */
  #frame: GrowingBytes | 'dropped' | undefined;

  /** @param limitBytes most bytes that a frame may have at this moment; longer ones are dropped */
  constructor(mark: string, limitBytes: () => number) {
    this.#start = Buffer.from(`\0${mark}`);
    this.#limitBytes = limitBytes;
  }

  /** In the order in which it was written. @throws Error for a frame that is not valid */
  *add(chunk: Buffer): Generator<Scanned> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#frame === undefined) {
        const start = rest.indexOf(this.#start);
        const end = start === -1 ? rest.length - this.#begunBytes(rest) : start;
        if (end > 0) yield { type: 'bytes', bytes: rest.subarray(0, end) };
        if (start === -1) {
          // Not a view: it may be long until more comes.
          this.#held = Buffer.from(rest.subarray(end));
          return;
        }
        rest = rest.subarray(start + this.#start.length);
        this.#frame = new GrowingBytes();
        continue;
      }
      const end = rest.indexOf(0);
      const isWhole = this.#keep(end === -1 ? rest : rest.subarray(0, end));
      if (end === -1) return;
      rest = rest.subarray(end + 1);
      const frame = this.#frame;
      this.#frame = undefined;
      if (!isWhole || frame === 'dropped') yield { type: 'dropped' };
      else yield { type: 'frame', frame: kernelFrameSchema.parse(JSON.parse(frame.text())) };
    }
  }

  /** False when the frame has become too long. */
  #keep(piece: Buffer): boolean {
    if (this.#frame === undefined || this.#frame === 'dropped') return false;
    if (this.#frame.length + piece.length > this.#limitBytes()) {
      this.#frame = 'dropped';
      return false;
    }
    this.#frame.add(piece);
    return true;
  }

  /** How many bytes at the end are the beginning of a mark. */
  #begunBytes(bytes: Buffer): number {
    const last = bytes.lastIndexOf(0);
    if (last === -1 || bytes.length - last >= this.#start.length) return 0;
    const tail = bytes.subarray(last);
    return this.#start.subarray(0, tail.length).equals(tail) ? tail.length : 0;
  }
}
