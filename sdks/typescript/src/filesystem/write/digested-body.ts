import type { RequestBody } from '../../http/request.ts';
import { Digest } from '../digest.ts';
import { type ContentSource, slices } from './content.ts';

/** Up to here bytes go in one piece, with their digest in the head of the request. */
const onePieceBytes = 1024 * 1024;
const sliceBytes = 512 * 1024;

/** The body of one request that sends content, and the digest of what has been sent of it. */
export class DigestedBody {
  digest = new Digest();
  readonly body: RequestBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(source: ContentSource, progress: (bytes: number) => void) {
    if (source.kind === 'bytes' && source.bytes.byteLength <= onePieceBytes) {
      this.digest.update(source.bytes);
      this.body = source;
      this.headers = { 'repr-digest': this.digest.field };
      progress(source.bytes.byteLength);
      return;
    }
    const open = () => (source.kind === 'bytes' ? slices(source.bytes, sliceBytes) : source.open());
    this.headers = { trailer: 'Repr-Digest' };
    this.body = {
      kind: 'stream',
      open: () => {
        // A second attempt begins from nothing.
        this.digest = new Digest();
        return open();
      },
      replayable: source.kind === 'bytes' || source.replayable,
      onChunk: (chunk) => {
        this.digest.update(chunk);
        progress(this.digest.bytes);
      },
      trailers: () => ({ 'Repr-Digest': this.digest.field }),
    };
  }
}
