import type { SandboxFiles, WalkedEntry } from '@sandport/driver';
import { type GuestPath, SandportFault } from '@sandport/protocol';
import { type Exchange, sendJsonPieces } from '@sandport/server';
import { Refusal } from '../answers.ts';
import { ledTo } from '../links.ts';
import { pathToRead } from '../paths.ts';
import type { RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { toLook } from '../runtime-files.ts';
import type { Endpoint } from './python-runtime.ts';

const notThere: ReadonlySet<string> = new Set([
  'file_not_found',
  'not_a_directory',
  'not_a_regular_file',
  'symlink_loop',
  'invalid_path',
]);

/** The entries of a directory, by name. Links are shown as what they lead to. */
export class List implements Endpoint {
  readonly methods = ['GET'];
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange, target: RuntimeTarget, rest: string): Promise<void> {
    const place = await toLook(this.#options.engine, target);
    try {
      const path = await pathToRead(rest, place);
      const { signal } = exchange;
      await sendJsonPieces(exchange, listing(place.files, path, signal));
    } catch (error) {
      if (!(error instanceof SandportFault)) throw error;
      if (notThere.has(error.code)) throw new Refusal(404, { message: 'Path is not a directory' });
      if (error.code === 'permission_denied') throw new Refusal(403, { message: 'Access denied' });
      throw error;
    }
  }
}

async function* listing(
  files: SandboxFiles,
  path: GuestPath,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let separator = '[';
  for await (const walked of files.walk(path, { depth: 1, signal })) {
    yield separator + JSON.stringify(await describe(files, path, walked));
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

async function describe(files: SandboxFiles, directory: GuestPath, walked: WalkedEntry) {
  const { entry } = walked;
  if (entry.type !== 'symlink')
    return {
      name: entry.name,
      size: entry.size,
      type: entry.is_dir ? 'directory' : 'file',
      mod_time: Number(walked.mtimeNs / 1000n) / 1e6,
    };
  const led = await ledTo(files, directory, entry);
  return {
    name: entry.name,
    size: led?.size ?? 0,
    type: led?.is_dir === true ? 'directory' : 'file',
    mod_time: Date.parse(led?.modified_at ?? entry.modified_at) / 1000,
  };
}
