import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '@sandport/server';
import { isUnreachable } from '../answers.ts';
import { pathToRead, type PathPlace } from '../paths.ts';
import type { RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { toLook } from '../runtime-files.ts';
import type { Endpoint } from './python-runtime.ts';

/** Whether something is at a path. A link that leads nowhere is nothing. */
export class Exists implements Endpoint {
  readonly methods = ['GET'];
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange, target: RuntimeTarget, rest: string): Promise<void> {
    const place = await toLook(this.#options.engine, target);
    exchange.json(200, { path: rest, exists: await isThere(rest, place) });
  }
}

async function isThere(path: string, place: PathPlace): Promise<boolean> {
  try {
    await place.files.stat(await pathToRead(path, place));
    return true;
  } catch (error) {
    // What is no file, as a FIFO, is there all the same.
    if (error instanceof SandportFault && !isUnreachable(error))
      return error.code === 'not_a_regular_file';
    throw error;
  }
}
