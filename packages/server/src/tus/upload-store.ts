import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/utils';
import type { Engine, HeldUpload, UploadState } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { receiveBody } from '../http/receive-body.ts';
import { tellWhenWoken } from '../native/waking.ts';
import { pathFieldOf } from './path-field.ts';
import { parseUploadChecksum, type UploadChecksum } from './upload-checksum.ts';

/** Extensions of tus that the daemon speaks. */
const extensions = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'checksum',
  'expiration',
  'termination',
];

/**
 * Where the tus library keeps the upload of one request. The library sees headers only: bytes go
 * from the request straight to the disk.
 */
export class UploadStore extends DataStore {
  override extensions = extensions;
  /** What the request has for itself; whoever made the store disposes of it. */
  held: HeldUpload | undefined;
  /** What a request that only looks has seen. */
  seen: UploadState | undefined;
  readonly #engine: Engine;
  readonly #exchange: Exchange;
  readonly #idleTimeoutMs: number;
  readonly #checksum: UploadChecksum | undefined;

  /** @throws SandportFault `invalid_request` for a checksum that cannot be read */
  constructor(engine: Engine, exchange: Exchange, options: { idleTimeoutMs: number }) {
    super();
    this.#engine = engine;
    this.#exchange = exchange;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#checksum = parseUploadChecksum(exchange.request.headers['upload-checksum']);
  }

  override async create(upload: Upload): Promise<Upload> {
    const { principal, request } = this.#exchange;
    const metadata = { ...upload.metadata, ...pathFieldOf(request.headers['upload-metadata']) };
    const wanted = { size: upload.size, metadata };
    this.#use();
    const woken = tellWhenWoken(this.#exchange);
    this.held = await this.#engine.uploads.create(principal, this.#sandbox, wanted, woken);
    upload.id = this.held.row.id;
    return upload;
  }

  override async getUpload(id: string): Promise<Upload> {
    const { principal, request } = this.#exchange;
    const { uploads } = this.#engine;
    if (request.method === 'HEAD') {
      this.seen = await uploads.look(principal, this.#sandbox, id);
      return uploadOf(this.seen);
    }
    if (this.held === undefined) {
      this.#use();
      const woken = tellWhenWoken(this.#exchange);
      this.held = await uploads.hold(principal, this.#sandbox, id, woken);
    }
    return uploadOf({ row: this.held.row, offset: await this.held.offset() });
  }

  override async declareUploadLength(_id: string, size: number): Promise<void> {
    this.#upload.declareSize(size);
  }

  override async remove(id: string): Promise<void> {
    await this.#engine.uploads.remove(this.#exchange.principal, this.#sandbox, id);
  }

  /** Takes the bytes of the request itself. */
  override async write(nothing: Readable, _id: string, offset: number): Promise<number> {
    nothing.resume();
    const { request } = this.#exchange;
    const upload = this.#upload;
    const idleTimeoutMs = this.#idleTimeoutMs;
    const checksum = this.#checksum;
    return upload.append(offset, checksum !== undefined, async ({ stream, saw }) => {
      let roomBytes = (upload.row.size ?? Infinity) - offset;
      const onData = (chunk: Buffer) => {
        this.#exchange.bytesIn += chunk.length;
        roomBytes -= chunk.length;
        if (roomBytes < 0) stream.destroy(tooMuch(upload));
        else {
          saw(chunk);
          checksum?.update(chunk);
        }
      };
      request.on('data', onData);
      const onIdle = () =>
        new SandportFault('request_timeout', `Nothing of the upload came for ${idleTimeoutMs} ms.`);
      try {
        this.#exchange.takeBody();
        await receiveBody(request, stream, { idleTimeoutMs, onIdle });
      } catch (error) {
        throw error instanceof SandportFault || request.complete ? error : cutShort(upload, error);
      } finally {
        request.off('data', onData);
      }
      checksum?.verify();
    });
  }

  /** Until the request is answered the sandbox is used. */
  #use(): void {
    const { principal } = this.#exchange;
    this.#exchange.hold(this.#engine.files.using(principal, this.#sandbox));
  }

  get #sandbox(): string {
    return this.#exchange.param('id');
  }

  get #upload(): HeldUpload {
    if (this.held === undefined) throw new Error('the upload is not held');
    return this.held;
  }
}

function uploadOf({ row, offset }: UploadState): Upload {
  const { id, size, metadata, createdAt } = row;
  return new Upload({
    id,
    offset,
    metadata: { ...metadata },
    creation_date: createdAt.toISOString(),
    ...(size === undefined ? {} : { size }),
  });
}

const tooMuch = ({ row }: HeldUpload) =>
  new SandportFault(
    'payload_too_large',
    `The upload to ${row.path} has ${row.size} bytes in all.`,
    {
      path: row.path,
      limit_bytes: row.size,
    },
  );

const cutShort = ({ row }: HeldUpload, cause: unknown) =>
  new SandportFault(
    'incomplete_body',
    'The connection ended within the body; go on from the offset that HEAD tells.',
    { path: row.path },
    { cause },
  );
