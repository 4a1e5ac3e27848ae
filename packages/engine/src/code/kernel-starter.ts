import { randomBytes } from 'node:crypto';
import type { KeptCommand } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Watcher } from '../commands/kept/watcher.ts';
import type { Entry } from '../sandboxes/entry.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import { type ContextDetails, contextOf, keptDetails } from './context-details.ts';
import { Kernel } from './kernel.ts';
import { languageOf } from './languages.ts';

/** Bytes of each stream that are kept of a kernel until they are read. */
const outputLimitBytes = 1024 * 1024;

/** Starts the kernels of a sandbox, and finds those that run there. */
export class KernelStarter {
  readonly #sandboxes: Sandboxes;
  readonly #watcher: Watcher;

  constructor(sandboxes: Sandboxes, watcher: Watcher) {
    this.#sandboxes = sandboxes;
    this.#watcher = watcher;
  }

  async start(entry: Entry, details: ContextDetails): Promise<Kernel> {
    const { commands } = await this.#sandboxes.states.running(entry);
    const mark = randomBytes(16).toString('hex');
    const language = languageOf(details.language);
    const { cwd, env, user } = details;
    using place = await this.#watcher.room(entry);
    void place;
    const { key } = await commands.keep({
      key: randomBytes(16).toString('hex'),
      details: keptDetails({ ...details, mark }),
      args: language.args(mark),
      ...{ cwd, env, user, outputLimitBytes },
      stdin: true,
    });
    return this.#kernel(entry, key, { ...details, mark }, false);
  }

  /** Those that an earlier daemon, or the parent of a fork, has started; the last of a context counts. */
  adopt(entry: Entry): Map<string, { details: ContextDetails; kernel: Kernel }> {
    const found = new Map<string, { details: ContextDetails; kernel: Kernel }>();
    for (const command of entry.sandbox?.commands.kept() ?? []) {
      const details = contextOf(command);
      if (details === undefined) continue;
      const kernel = this.#kernel(entry, command.key, details, true);
      found.set(details.id, { details, kernel });
    }
    return found;
  }

  #kernel(entry: Entry, key: string, { language, mark }: ContextDetails, isAdopted: boolean) {
    return new Kernel(languageOf(language), {
      find: () => find(entry, key),
      changed: (signal) => this.#watcher.changed(entry, signal),
      gone: entry.abort.signal,
      mark,
      isAdopted,
    });
  }
}

function find(entry: Entry, key: string): KeptCommand {
  const command = entry.sandbox?.commands.kept().find((each) => each.key === key);
  if (command !== undefined) return command;
  throw new SandportFault('invalid_state', 'The kernel is there no more.', {
    sandbox: entry.row.id,
    status: entry.row.status,
  });
}
