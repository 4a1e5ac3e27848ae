import { contentSource, type FileContent, slices } from '../filesystem/write/content.ts';

/** What a command can be given as its input. Text is sent as UTF-8. */
export type CommandInput = FileContent;

const sliceBytes = 64 * 1024;

/** The input in pieces that are small enough for a message. */
export async function* stdinChunks(input: CommandInput): AsyncGenerator<Uint8Array> {
  const source = contentSource(input);
  if (source.kind === 'bytes') {
    yield* slices(source.bytes, sliceBytes);
    return;
  }
  for await (const chunk of source.open()) yield* slices(chunk, sliceBytes);
}
