import type { Driver, DriverSandbox } from '@sandport/driver';
import { type CreateSandbox, parseGuestPath, SandportFault } from '@sandport/protocol';
import type { Events } from '../events.ts';
import { mayUse, type Principal } from '../principal.ts';
import type { Templates } from '../templates.ts';
import type { Volumes } from '../volumes.ts';
import { type Entry, newEntry, specOf } from './entry.ts';
import { namespaceOf, newRow } from './new-row.ts';
import type { Registry } from './registry.ts';
import type { States } from './states.ts';

export interface CreationOptions {
  readonly driver: Driver;
  readonly registry: Registry;
  readonly states: States;
  readonly templates: Templates;
  /** Called at each use: volumes and sandboxes know each other. */
  readonly volumes: () => Volumes;
  readonly events: Events;
}

/** Makes sandboxes. */
export class Creation {
  readonly #options: CreationOptions;

  constructor(options: CreationOptions) {
    this.#options = options;
  }

  async create(
    principal: Principal,
    request: CreateSandbox,
    options: { signal?: AbortSignal } = {},
  ): Promise<Entry> {
    const startedAt = performance.now();
    const namespace = namespaceOf(request);
    if (!mayUse(principal, namespace))
      throw new SandportFault(
        'forbidden',
        `This API key may not use the namespace "${namespace}".`,
        { namespace },
      );
    const template = await this.#options.templates.resolve(request.template ?? 'default');
    const entry = newEntry(newRow(request, template, this.#options.driver));
    this.#options.registry.insert(entry);
    const cancel = () => entry.abort.abort();
    options.signal?.addEventListener('abort', cancel, { once: true });
    try {
      await entry.turns.take(() => this.#boot(entry, request, startedAt));
    } finally {
      options.signal?.removeEventListener('abort', cancel);
    }
    return entry;
  }

  /** On failure nothing of the sandbox is left. */
  async #boot(entry: Entry, request: CreateSandbox, startedAt: number): Promise<void> {
    const { driver, registry, states, volumes, events } = this.#options;
    const spec = specOf(entry.row);
    let sandbox: DriverSandbox | undefined;
    try {
      await volumes().ensure(spec.namespace, spec.volumes);
      sandbox = await driver.create(spec, { signal: entry.abort.signal });
      if (request.workdir !== undefined) await makeWorkdir(sandbox, request.workdir);
      entry.abort.signal.throwIfAborted();
    } catch (error) {
      if (sandbox !== undefined) await driver.remove(spec.id);
      registry.forget(spec.id);
      throw entry.abort.signal.aborted
        ? new SandportFault('create_failed', 'The sandbox was deleted while it was being made.', {
            reason: 'deleted',
          })
        : error;
    }
    const bootMs = Math.round((performance.now() - startedAt) * 10) / 10;
    entry.activity.touch();
    states.started(entry, sandbox, { bootMs });
    events.emit(entry.row, 'created', { boot_ms: bootMs, boot_mode: entry.row.bootMode });
  }
}

/** A working directory of the caller's choice is made, so that the first command finds it. */
async function makeWorkdir(sandbox: DriverSandbox, workdir: string): Promise<void> {
  await sandbox.files.makeDirectory(parseGuestPath(workdir));
}
