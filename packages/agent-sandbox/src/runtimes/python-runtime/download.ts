import { SandportFault } from '@sandport/protocol';
import { answerWithFile, attachment, type Exchange } from '@sandport/server';
import { Refusal } from '../answers.ts';
import { pathToRead } from '../paths.ts';
import type { RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { toRead } from '../runtime-files.ts';
import type { Endpoint } from './python-runtime.ts';

const notThere: ReadonlySet<string> = new Set([
  'file_not_found',
  'is_directory',
  'not_a_directory',
  'not_a_regular_file',
  'symlink_loop',
  'invalid_path',
]);

/** The bytes of a file: whole, a range, or its headers. */
export class Download implements Endpoint {
  readonly methods = ['GET', 'HEAD'];
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange, target: RuntimeTarget, rest: string): Promise<void> {
    const { response } = exchange;
    const place = await toRead(this.#options.engine, target, exchange);
    try {
      await using file = await place.files.open(await pathToRead(rest, place));
      response.setHeader('Content-Disposition', attachment(file.entry.name));
      await answerWithFile(exchange, file, rest);
    } catch (error) {
      if (!response.headersSent) response.removeHeader('Content-Disposition');
      if (!(error instanceof SandportFault)) throw error;
      if (notThere.has(error.code)) throw new Refusal(404, { message: 'File not found' });
      if (error.code === 'permission_denied') throw new Refusal(403, { message: 'Access denied' });
      throw error;
    }
  }
}
