import { isUtf8 } from 'node:buffer';
import type { CommandHandle, KeptCommandEvent, OutputStream } from 'sandport';
import { LineWriter, printNote, writeAll } from '../../output/print.ts';

export interface WriterOptions {
  /** One line of JSON a piece. */
  readonly json: boolean;
  /** Only this one. */
  readonly stream?: OutputStream | undefined;
}

/** Writes what a command wrote, each stream to its own. */
export class OutputWriter {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  wants(stream: OutputStream): boolean {
    return this.#options.stream === undefined || this.#options.stream === stream;
  }

  /** @param offset of the first byte */
  async write(stream: OutputStream, bytes: Uint8Array, offset: number): Promise<void> {
    if (!this.wants(stream) || bytes.byteLength === 0) return;
    if (!this.#options.json) {
      await writeAll(stream === 'stdout' ? process.stdout : process.stderr, bytes);
      return;
    }
    await using out = new LineWriter();
    const { buffer, byteOffset, byteLength } = bytes;
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    const base64 = isUtf8(chunk) ? {} : { chunk_base64: chunk.toString('base64') };
    await out.json({ stream, offset, chunk: chunk.toString('utf8'), ...base64 });
  }

  gap(stream: OutputStream, from: number, to: number): void {
    if (!this.wants(stream) || to <= from) return;
    printNote(`sandport: ${to - from} bytes of ${stream} were not kept.`);
  }

  /** Follows it to its end. @returns the exit event */
  async follow(
    handle: CommandHandle,
  ): Promise<Extract<KeptCommandEvent, { readonly type: 'exit' }>> {
    for await (const event of handle) {
      if (event.type === 'exit') return event;
      if (event.type === 'gap') this.gap(event.stream, event.from, event.to);
      else {
        const { type, bytes } = event;
        await this.write(type, bytes, handle.offsets[type] - bytes.byteLength);
      }
    }
    throw new Error('The output of a command ends with its exit.');
  }
}
