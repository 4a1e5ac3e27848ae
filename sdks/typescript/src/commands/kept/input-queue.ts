import type { KeptApi } from './kept-api.ts';
import { type CommandInput, stdinChunks } from '../stdin-chunks.ts';
import { contentSource } from '../../filesystem/write/content.ts';

/**
 * What is written to the input of one command, in the order of the calls: one request at a time,
 * and what is written while it is under way goes with the next.
 */
export class InputQueue {
  readonly #api: KeptApi;
  readonly #id: string;
  readonly #stop = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #gathered: { readonly chunks: Uint8Array[]; readonly sent: Promise<void> } | undefined;

  constructor(api: KeptApi, id: string) {
    this.#api = api;
    this.#id = id;
  }

  /** Resolves when the command, or the pipe before it, has taken it. */
  send(input: CommandInput): Promise<void> {
    const source = contentSource(input);
    if (source.kind === 'bytes') return this.#sendBytes(source.bytes);
    return this.#inTurn(async () => {
      // A request for each piece: a source that rests is not a request that rests.
      for await (const bytes of stdinChunks(input)) await this.#feed(bytes);
    });
  }

  /** The input ends behind what was written before. */
  close(): Promise<void> {
    return this.#inTurn(() =>
      this.#api.feed(this.#id, undefined, { eof: true, signal: this.#stop.signal }),
    );
  }

  /** Gives up what is under way. */
  abort(reason: unknown): void {
    this.#stop.abort(reason);
  }

  #sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.#gathered !== undefined) {
      this.#gathered.chunks.push(bytes);
      return this.#gathered.sent;
    }
    const chunks = [bytes];
    const sent = this.#inTurn(() => {
      this.#gathered = undefined;
      return this.#feed(Buffer.concat(chunks));
    });
    this.#gathered = { chunks, sent };
    return sent;
  }

  /** What failed does not stop what comes after it. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    // What comes behind this is not gathered before it.
    this.#gathered = undefined;
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  #feed(bytes: Uint8Array): Promise<void> {
    return this.#api.feed(this.#id, bytes, { signal: this.#stop.signal });
  }
}
