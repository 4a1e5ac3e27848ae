import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '@sandport/server';
import { isUnreachable, Refusal } from '../answers.ts';
import { receiveFormFile } from '../form-file.ts';
import { pathToWrite } from '../paths.ts';
import type { RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { toWrite } from '../runtime-files.ts';
import type { Endpoint } from './python-runtime.ts';
import { missing, tooManyFiles } from './validation.ts';

const denied: ReadonlySet<string> = new Set(['read_only', 'permission_denied']);

/** Writes the file of a form; its file name is the path. It appears whole, or not at all. */
export class Upload implements Endpoint {
  readonly methods = ['POST'];
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange, target: RuntimeTarget): Promise<void> {
    const { engine, idleTimeoutMs = 60_000 } = this.#options;
    const begin = async (fileName: string) => {
      const place = await toWrite(engine, target, exchange);
      return place.files.write(await pathToWrite(fileName, place));
    };
    try {
      const received = await receiveFormFile(exchange, 'file', begin, { idleTimeoutMs });
      if (received === 'none') throw missing('file', null);
      if (received === 'several') throw tooManyFiles();
      exchange.json(200, { message: `File '${received.fileName}' uploaded successfully.` });
    } catch (error) {
      throw isUnreachable(error) ? error : inWords(error);
    }
  }
}

/** Statuses are those of the native API: what a second try cannot mend is no 500 to clients. */
function inWords(error: unknown): unknown {
  if (!(error instanceof SandportFault)) return error;
  if (denied.has(error.code)) return new Refusal(403, { message: 'Access denied' });
  return new Refusal(error.status, { message: `File upload failed: ${error.message}` });
}
