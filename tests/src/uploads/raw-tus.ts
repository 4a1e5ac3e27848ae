import type { Api, HttpAnswer, HttpRequest } from '../harness/index.ts';

type Fields = Readonly<Record<string, string | number>>;

/** `Upload-Metadata` of these pairs. */
export const metadataOf = (pairs: Readonly<Record<string, string>>): string =>
  Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

/** Requests of the tus protocol, one by one, whatever the answer. */
export class RawTus {
  readonly #api: Api;
  readonly #sandbox: string;

  constructor(api: Api, sandbox: string) {
    this.#api = api;
    this.#sandbox = sandbox;
  }

  create(
    length: number | undefined,
    metadata: Readonly<Record<string, string>>,
    headers: Fields = {},
    body?: Buffer,
  ): Promise<HttpAnswer> {
    return this.#send('POST', this.path, {
      headers: {
        ...(length === undefined ? { 'Upload-Defer-Length': 1 } : { 'Upload-Length': length }),
        'Upload-Metadata': metadataOf(metadata),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** Path of a new upload that must be made. */
  async begin(
    length: number | undefined,
    metadata: Readonly<Record<string, string>>,
  ): Promise<string> {
    const answer = await this.create(length, metadata);
    const { location } = answer.headers;
    if (answer.status !== 201 || location === undefined)
      throw new Error(`POST answered ${answer.status}: ${answer.body}`);
    return location;
  }

  patch(
    upload: string,
    offset: number,
    body: NonNullable<HttpRequest['body']>,
    headers: Fields = {},
  ): Promise<HttpAnswer> {
    return this.#send('PATCH', upload, {
      headers: {
        'Upload-Offset': offset,
        'Content-Type': 'application/offset+octet-stream',
        ...headers,
      },
      body,
    });
  }

  head(upload: string): Promise<HttpAnswer> {
    return this.#send('HEAD', upload, {});
  }

  /** Bytes that have come. */
  async offset(upload: string): Promise<number> {
    const { status, headers } = await this.head(upload);
    if (status !== 200) throw new Error(`HEAD answered ${status}`);
    return Number(headers['upload-offset']);
  }

  remove(upload: string): Promise<HttpAnswer> {
    return this.#send('DELETE', upload, {});
  }

  list(): Promise<HttpAnswer> {
    return this.#api.send('GET', this.path);
  }

  get path(): string {
    return `/v1/sandboxes/${this.#sandbox}/uploads`;
  }

  #send(method: string, path: string, options: Partial<HttpRequest>): Promise<HttpAnswer> {
    const headers = { 'Tus-Resumable': '1.0.0', ...options.headers };
    return this.#api.send(method, path, { ...options, headers });
  }
}
