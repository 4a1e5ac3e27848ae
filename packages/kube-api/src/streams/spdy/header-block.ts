import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { headerDictionary, headerDictionaryId } from './header-dictionary.ts';
import { SpdyError } from './spdy-error.ts';

export type SpdyHeaders = ReadonlyMap<string, string>;

/** How far back a deflate stream may refer. */
const windowBytes = 32 * 1024;
const maxHeadersBytes = 64 * 1024;
const maxHeaders = 128;

/** First two bytes of a zlib stream with a dictionary: deflate, 32 KiB window, and their check. */
const zlibHead = 0x78bb;

/**
 * Reads the header blocks of one direction of a connection, which are one zlib stream that is
 * flushed after every block. Every block must be given, in order: later ones refer to earlier ones.
 *
 * A flush ends on a byte, so each block is inflated by itself, with what came before it as its
 * dictionary: at once, and never to more than the limit.
 */
export class HeaderReader {
  #history: Buffer | undefined;

  /** @throws SpdyError when it is malformed, or larger than 64 KiB or 128 headers */
  read(block: Buffer): SpdyHeaders {
    const first = this.#history === undefined;
    const deflated = first ? afterZlibHead(block) : block;
    const history = this.#history ?? headerDictionary;
    const plain = inflate(deflated, history);
    this.#history = Buffer.concat([history, plain]).subarray(-windowBytes);
    return parseHeaders(plain);
  }
}

/** Writes the header blocks of one direction of a connection. */
export class HeaderWriter {
  #begun = false;

  write(headers: SpdyHeaders): Buffer {
    const plain = Buffer.concat([
      uint32(headers.size),
      ...[...headers]
        .flat()
        .flatMap((text) => [uint32(Buffer.byteLength(text)), Buffer.from(text)]),
    ]);
    // Refers to nothing before itself, which every state of the reader's side can take.
    const deflated = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });
    if (this.#begun) return deflated;
    this.#begun = true;
    const head = Buffer.alloc(6);
    head.writeUInt16BE(zlibHead);
    head.writeUInt32BE(headerDictionaryId, 2);
    return Buffer.concat([head, deflated]);
  }
}

function afterZlibHead(block: Buffer): Buffer {
  if (block.length < 2) throw new SpdyError('The first header block has no zlib header.');
  const head = block.readUInt16BE();
  const isDeflate = ((head >> 8) & 0x0f) === 8 && head % 31 === 0;
  if (!isDeflate) throw new SpdyError('The first header block is not a zlib stream.');
  if ((head & 0x20) === 0) return block.subarray(2);
  if (block.length < 6 || block.readUInt32BE(2) !== headerDictionaryId)
    throw new SpdyError("The header blocks are not compressed with SPDY/3's dictionary.");
  return block.subarray(6);
}

function inflate(deflated: Buffer, dictionary: Buffer): Buffer {
  try {
    return inflateRawSync(deflated, {
      dictionary,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: maxHeadersBytes,
    });
  } catch {
    throw new SpdyError(
      `A header block cannot be inflated, or is larger than ${maxHeadersBytes} bytes.`,
    );
  }
}

function parseHeaders(plain: Buffer): SpdyHeaders {
  let at = 0;
  const number = (): number => {
    if (at + 4 > plain.length) throw new SpdyError('A header block ends early.');
    at += 4;
    return plain.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > plain.length) throw new SpdyError('A header block ends early.');
    at += length;
    return plain.toString('utf8', at - length, at);
  };
  const count = number();
  if (count > maxHeaders) throw new SpdyError(`A frame has more than ${maxHeaders} headers.`);
  const headers = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const name = text().toLowerCase();
    if (name === '' || headers.has(name))
      throw new SpdyError('A header has no name or comes twice.');
    headers.set(name, text());
  }
  return headers;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
