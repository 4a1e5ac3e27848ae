import type { SandboxFiles, WalkedEntry } from '@sandport/driver';
import { type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';
import { answerWithFile, type Exchange, receiveBody, sendJsonPieces } from '@sandport/server';
import { receiveFormFile } from '../form-file.ts';
import { ledTo } from '../links.ts';
import { pathToRead, pathToWrite, type PathPlace } from '../paths.ts';
import type { RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { toRead, toWrite } from '../runtime-files.ts';
import { allow } from './allow.ts';
import { refusal } from './sandboxd-fault.ts';

const methods = ['GET', 'HEAD', 'PUT', 'DELETE'];

/** `/v1/files/{path}`: files are read, listed, written and removed. */
export class FilesEndpoint {
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange, target: RuntimeTarget, path: string): Promise<void> {
    allow(exchange, methods);
    const { method } = exchange.request;
    if (method === 'PUT') await this.#write(exchange, target, path);
    else if (method === 'DELETE') await this.#remove(exchange, target, path);
    else await this.#read(exchange, target, path);
  }

  async #read(exchange: Exchange, target: RuntimeTarget, path: string): Promise<void> {
    const place = await toRead(this.#options.engine, target, exchange);
    const found = await pathToRead(path, place);
    const entry = await place.files.stat(found);
    if (entry.is_dir) {
      if (exchange.request.method === 'HEAD')
        exchange.response.writeHead(200, { 'Content-Type': 'application/json' }).end();
      else await sendJsonPieces(exchange, listing(place.files, found, path, exchange.signal));
      return;
    }
    await using file = await place.files.open(found);
    await answerWithFile(exchange, file, path);
  }

  async #write(exchange: Exchange, target: RuntimeTarget, path: string): Promise<void> {
    const { engine, idleTimeoutMs = 60_000 } = this.#options;
    const mode = modeOf(exchange);
    const place = await toWrite(engine, target, exchange);
    const goal = await pathToWrite(path, place);
    const begin = () => place.files.write(goal, { mode });
    const isForm = /^multipart\//i.test(exchange.request.headers['content-type'] ?? '');
    if (isForm) {
      const received = await receiveFormFile(exchange, 'file', begin, { idleTimeoutMs });
      if (received === 'none') throw refusal('INVALID_ARGUMENT', 'The form has no part `file`.');
      if (received === 'several')
        throw refusal('INVALID_ARGUMENT', 'The form has several files; send one a request.');
    } else await receiveRaw(exchange, begin, idleTimeoutMs);
    exchange.empty(204);
  }

  async #remove(exchange: Exchange, target: RuntimeTarget, path: string): Promise<void> {
    const recursive = exchange.query.get('recursive') === 'true';
    const place = await toWrite(this.#options.engine, target, exchange);
    const goal = await pathToRead(path, place);
    const { signal } = exchange;
    if (isHome(goal, place)) {
      if (!recursive)
        throw refusal('INVALID_ARGUMENT', 'The home directory itself cannot be removed.');
      await removeContents(place.files, goal, signal);
    } else await place.files.remove(goal, { recursive, signal });
    exchange.empty(204);
  }
}

const isHome = (path: GuestPath, { home }: PathPlace): boolean =>
  path.replace(/\/+$/, '') === home.replace(/\/+$/, '');

async function removeContents(
  files: SandboxFiles,
  directory: GuestPath,
  signal: AbortSignal,
): Promise<void> {
  // By one name at a time: what is removed must not be walked over.
  for (;;) {
    const name = await firstName(files, directory);
    if (name === undefined) return;
    const path = parseGuestPath(`${directory.replace(/\/+$/, '')}/${name}`);
    await files.remove(path, { recursive: true, signal });
  }
}

async function firstName(files: SandboxFiles, directory: GuestPath): Promise<string | undefined> {
  for await (const { entry } of files.walk(directory, { depth: 1 })) return entry.name;
  return undefined;
}

const defaultMode = 0o644;

/** Permission bits in the query. @throws Refusal */
function modeOf(exchange: Exchange): number {
  const text = exchange.query.get('mode');
  if (text === undefined) return defaultMode;
  if (!/^0[0-7]{3}$/.test(text))
    throw refusal('INVALID_ARGUMENT', 'mode must be a 0 and three octal digits, as 0644.');
  return Number.parseInt(text, 8);
}

/** Writes the body as it is. It appears whole, or not at all. */
async function receiveRaw(
  exchange: Exchange,
  begin: () => ReturnType<SandboxFiles['write']>,
  idleTimeoutMs: number,
): Promise<void> {
  const { request } = exchange;
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of the body came for ${idleTimeoutMs} ms.`);
  await using writer = await begin();
  exchange.takeBody();
  try {
    await receiveBody(request, writer.stream, { idleTimeoutMs, onIdle });
  } catch (error) {
    if (error instanceof SandportFault || request.complete) throw error;
    throw new SandportFault('incomplete_body', 'The body ended early; nothing was written.');
  }
  await writer.commit();
}

async function* listing(
  files: SandboxFiles,
  directory: GuestPath,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield `{"path":${JSON.stringify(path)},"entries":[`;
  let separator = '';
  for await (const walked of files.walk(directory, { depth: 1, signal })) {
    const shown = await describe(files, directory, walked);
    if (shown === undefined) continue;
    yield separator + JSON.stringify(shown);
    separator = ',';
  }
  yield ']}';
}

/** Undefined for a link that leads nowhere. */
async function describe(files: SandboxFiles, directory: GuestPath, { entry }: WalkedEntry) {
  const shown = entry.type === 'symlink' ? await ledTo(files, directory, entry) : entry;
  if (shown === undefined) return undefined;
  return {
    name: entry.name,
    size: shown.size,
    type: shown.is_dir ? 'directory' : 'file',
    modified_at: shown.modified_at,
    mode: shown.permissions,
  };
}
