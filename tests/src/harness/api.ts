import {
  createdKeySchema,
  directoryListingSchema,
  errorTable,
  eventListSchema,
  type ErrorCode,
  execResultSchema,
  fileEntrySchema,
  isErrorCode,
  type PoolObject,
  poolSchema,
  type SandboxEvent,
  sandboxSchema,
  type WokenSandboxObject,
  wokenSandboxSchema,
} from '@sandport/protocol';
import { z } from 'zod';
import { exchange, type HttpAnswer, type HttpRequest } from './http.ts';

const errorSchema = z.looseObject({ error: z.string(), code: z.string() });
export type ErrorAnswer = z.infer<typeof errorSchema>;

export type CreatedSandbox = z.infer<typeof sandboxSchema>;
export type Entry = z.infer<typeof fileEntrySchema>;
export type Result = z.infer<typeof execResultSchema>;
type Fields = Readonly<Record<string, unknown>>;

/** The native API as a stranger to our SDKs would call it, with every answer checked. */
export class Api {
  readonly url: string;
  readonly apiKey: string;

  constructor(url: string, apiKey: string) {
    this.url = url;
    this.apiKey = apiKey;
  }

  /** Any request, with the key. */
  send(method: string, path: string, options: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    const headers = { Authorization: `Bearer ${this.apiKey}`, ...options.headers };
    return exchange(this.url, { ...options, method, path, headers });
  }

  sendJson(
    method: string,
    path: string,
    body: unknown,
    options: Partial<HttpRequest> = {},
  ): Promise<HttpAnswer> {
    return this.send(method, path, { ...options, body: JSON.stringify(body) });
  }

  async create(fields: Fields = {}, options: Partial<HttpRequest> = {}): Promise<CreatedSandbox> {
    const answer = await this.sendJson('POST', '/v1/sandboxes', fields, options);
    return sandboxSchema.parse(json(answer, 201));
  }

  async get(id: string): Promise<CreatedSandbox> {
    return sandboxSchema.parse(json(await this.send('GET', `/v1/sandboxes/${id}`), 200));
  }

  async list(query = ''): Promise<CreatedSandbox[]> {
    return z.array(sandboxSchema).parse(json(await this.send('GET', `/v1/sandboxes${query}`), 200));
  }

  async kill(id: string): Promise<void> {
    const answer = await this.send('DELETE', `/v1/sandboxes/${id}`);
    if (answer.status !== 204) throw new Error(`DELETE answered ${answer.status}: ${answer.body}`);
  }

  /** A string runs under the shell. */
  async exec(id: string, cmd: string, fields: Fields = {}): Promise<Result> {
    return this.execFields(id, { cmd, ...fields });
  }

  async execFields(id: string, fields: Fields): Promise<Result> {
    const answer = await this.sendJson('POST', `/v1/sandboxes/${id}/exec`, fields);
    return execResultSchema.parse(json(answer, 200));
  }

  /** Runs a command that must succeed, as root of the guest; resolves to its output. */
  async asRoot(id: string, cmd: string): Promise<string> {
    const result = await this.exec(id, cmd, { user: 'root' });
    if (result.exit_code !== 0)
      throw new Error(`"${cmd.slice(0, 200)}" ended with ${result.exit_code}: ${result.stderr}`);
    return result.stdout;
  }

  async pools(): Promise<PoolObject[]> {
    return z.array(poolSchema).parse(json(await this.send('GET', '/v1/pools'), 200));
  }

  async pool(template: string, isolation: string): Promise<PoolObject> {
    const path = `/v1/pools/${template}?isolation=${isolation}`;
    return poolSchema.parse(json(await this.send('GET', path), 200));
  }

  /** `GET` of a file, whatever the answer. */
  open(id: string, path: string, options: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    return this.send('GET', filePath(id, '', path), options);
  }

  async read(id: string, path: string): Promise<Buffer> {
    const answer = await this.open(id, path);
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.body}`);
    return answer.body;
  }

  /** `PUT` of a file, whatever the answer. */
  put(
    id: string,
    path: string,
    body: NonNullable<HttpRequest['body']>,
    options: Partial<HttpRequest> = {},
  ): Promise<HttpAnswer> {
    return this.send('PUT', filePath(id, '', path), { ...options, body });
  }

  async write(id: string, path: string, body: Uint8Array | string): Promise<void> {
    json(await this.put(id, path, body), 200);
  }

  listing(id: string, path: string): Promise<HttpAnswer> {
    return this.send('GET', filePath(id, '/dir', path));
  }

  async entries(id: string, path: string): Promise<Entry[]> {
    return directoryListingSchema.parse(json(await this.listing(id, path), 200)).entries;
  }

  async names(id: string, path: string): Promise<string[]> {
    return (await this.entries(id, path)).map(({ name }) => name);
  }

  statAnswer(id: string, path: string, more = ''): Promise<HttpAnswer> {
    return this.send('GET', `${filePath(id, '/stat', path)}${more}`);
  }

  async stat(id: string, path: string, more = ''): Promise<Entry> {
    return fileEntrySchema.parse(json(await this.statAnswer(id, path, more), 200));
  }

  remove(id: string, path: string, more = ''): Promise<HttpAnswer> {
    return this.send('DELETE', `${filePath(id, '', path)}${more}`);
  }

  mkdir(id: string, path: string): Promise<HttpAnswer> {
    return this.send('POST', filePath(id, '/mkdir', path));
  }

  /** `POST` of a change of state, as `hibernate`, whatever the answer. */
  change(id: string, change: string, options: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
    return this.send('POST', `/v1/sandboxes/${id}/${change}`, options);
  }

  async enter(id: string, change: 'pause' | 'resume' | 'hibernate'): Promise<CreatedSandbox> {
    return sandboxSchema.parse(json(await this.change(id, change), 200));
  }

  async wake(id: string): Promise<WokenSandboxObject> {
    return wokenSandboxSchema.parse(json(await this.change(id, 'wake'), 200));
  }

  async events(id: string, query = ''): Promise<SandboxEvent[]> {
    const answer = await this.send('GET', `/v1/sandboxes/${id}/events${query}`);
    return eventListSchema.parse(json(answer, 200)).events;
  }

  /** A new key, bound to the namespaces when some are given. */
  async newKey(fields: Fields = {}): Promise<{ id: string; api: Api }> {
    const answer = await this.sendJson('POST', '/v1/keys', fields);
    const { id, api_key } = createdKeySchema.parse(json(answer, 201));
    return { id, api: new Api(this.url, api_key) };
  }
}

/** Path of a file route; `path` is percent-encoded. */
export const filePath = (id: string, route: string, path: string): string =>
  `/v1/sandboxes/${id}/fs${route}?path=${encodeURIComponent(path)}`;

/** The same of a volume in the namespace `default`, without any sandbox. */
export const volumeFilePath = (name: string, route: string, path: string): string =>
  `/v1/volumes/${name}/fs${route}?path=${encodeURIComponent(path)}`;

/** The JSON of an answer that must have this status. */
export function json(answer: HttpAnswer, status: number): unknown {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${answer.body.subarray(0, 500)}`);
  return JSON.parse(answer.body.toString());
}

/**
 * Checks that an answer is the error `code` in the form that every error has: the status of the
 * error table, and one sentence.
 */
export function faultOf(answer: HttpAnswer, code: ErrorCode): ErrorAnswer {
  const text = answer.body.toString();
  const shown = `${answer.status} ${text.slice(0, 300)}`;
  if (answer.status < 400 || answer.headers['content-type'] !== 'application/json')
    throw new Error(`expected ${code}, got ${shown}`);
  const fault = errorSchema.parse(JSON.parse(text));
  if (fault.code !== code || !isErrorCode(fault.code) || answer.status !== errorTable[code].status)
    throw new Error(`expected ${errorTable[code].status} ${code}, got ${shown}`);
  if (!/^\S.*\.$/s.test(fault.error) || /\n\s+at |undefined|\[object/.test(fault.error))
    throw new Error(`not a sentence: ${fault.error}`);
  return fault;
}

/** The code of an answer that is an error, else `ok`. */
export const codeOf = (answer: HttpAnswer): string =>
  answer.status < 400 ? 'ok' : errorSchema.parse(JSON.parse(answer.body.toString())).code;
