import { type KernelFrame, kernelFrameSchema, maxFrameBytes } from './kernel-protocol.ts';

export type Scanned =
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  | { readonly type: 'frame'; readonly frame: KernelFrame };

/** Takes the frames of a kernel out of what it writes. */
export class FrameScanner {
  readonly #start: Buffer;
  /** What may be the beginning of a frame. */
  #held: Buffer = Buffer.alloc(0);
  /** Pieces of a frame that has begun, after its mark. */
  #frame: Buffer[] | undefined;
  #frameBytes = 0;

  constructor(mark: string) {
    this.#start = Buffer.from(`\0${mark}`);
  }

  /** In the order in which it was written. @throws Error for a frame that is too long or not valid */
  *add(chunk: Buffer): Generator<Scanned> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#frame === undefined) {
        const start = rest.indexOf(this.#start);
        const end = start === -1 ? rest.length - this.#begunBytes(rest) : start;
        if (end > 0) yield { type: 'bytes', bytes: rest.subarray(0, end) };
        if (start === -1) {
          this.#held = rest.subarray(end);
          return;
        }
        rest = rest.subarray(start + this.#start.length);
        this.#frame = [];
        this.#frameBytes = 0;
        continue;
      }
      const end = rest.indexOf(0);
      const piece = end === -1 ? rest : rest.subarray(0, end);
      this.#frame.push(piece);
      this.#frameBytes += piece.length;
      if (this.#frameBytes > maxFrameBytes) throw new Error('a frame of the kernel is too long');
      if (end === -1) return;
      const text = Buffer.concat(this.#frame).toString('utf8');
      this.#frame = undefined;
      rest = rest.subarray(end + 1);
      yield { type: 'frame', frame: kernelFrameSchema.parse(JSON.parse(text)) };
    }
  }

  /** How many bytes at the end are the beginning of a mark. */
  #begunBytes(bytes: Buffer): number {
    const last = bytes.lastIndexOf(0);
    if (last === -1 || bytes.length - last >= this.#start.length) return 0;
    const tail = bytes.subarray(last);
    return this.#start.subarray(0, tail.length).equals(tail) ? tail.length : 0;
  }
}
