import type {
  AdoptionReport,
  CreateOptions,
  Driver,
  DriverSandbox,
  ForkOptions,
  ForkReport,
  Hibernation,
  Known,
  NetworkDenial,
  SandboxSpec,
  SandboxUsage,
  SnapshotStore,
  StoppedSandbox,
  TemplateStore,
  UsageOptions,
  VolumeStore,
  WokenSandbox,
} from '@sandport/driver';
import type { Isolation, SandboxId, SnapshotId } from '@sandport/protocol';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from './context.ts';
import { forkSandbox } from './fork/fork.ts';
import { removeWhenEmpty } from './run-dir.ts';
import { adoptSandboxes } from './sandbox/adopt.ts';
import { createSandbox } from './sandbox/create.ts';
import type { HeldSandbox } from './sandbox/held-sandbox.ts';
import { hibernateSandbox } from './sandbox/hibernate.ts';
import { pauseSandbox, resumeSandbox } from './sandbox/pause.ts';
import { reconfigureSandbox } from './sandbox/reconfigure.ts';
import { removeSandbox } from './sandbox/remove.ts';
import { usageOf } from './sandbox/usage.ts';
import { wakeSandbox } from './sandbox/wake.ts';
import { createFromSnapshot } from './snapshots/create-from.ts';
import { restoreSandbox } from './snapshots/restore.ts';
import { LocalSnapshots } from './snapshots/snapshot-store.ts';
import { templateDisks } from './snapshots/template-disks.ts';
import { closePool } from './storage/pool.ts';

interface Change {
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
}

/** Runs sandboxes on this machine through OCI runtimes. */
export class LocalDriver implements Driver {
  readonly name = 'local';
  readonly isolations: readonly Isolation[];
  readonly memoryIsolations: readonly Isolation[];
  readonly liveNetworkIsolations: readonly Isolation[];
  readonly templates: TemplateStore;
  readonly volumes: VolumeStore;
  readonly snapshots: SnapshotStore;
  readonly #context: DriverContext;
  readonly #snapshots: LocalSnapshots;
  /** Changes of sandboxes that are under way; a removal ends and awaits them. */
  readonly #changing = new Map<SandboxId, Set<Change>>();
  readonly #creating = new Map<SandboxId, { abort: AbortController; done: Promise<unknown> }>();
  readonly #removing = new Map<SandboxId, Promise<void>>();
  #closed = false;

  constructor(context: DriverContext) {
    this.#context = context;
    this.isolations = [...context.runtimes.keys()];
    this.memoryIsolations = this.isolations.filter((each) => each === 'gvisor');
    this.liveNetworkIsolations = this.isolations.filter((each) => each === 'container');
    this.#snapshots = new LocalSnapshots(context, {
      during: (id, task) => this.#during(id, task),
    });
    this.snapshots = this.#snapshots;
    context.templates.useSandboxes(templateDisks(context, this.#snapshots));
    context.templates.collect();
    this.templates = context.templates;
    this.volumes = context.volumes;
  }

  async create(spec: SandboxSpec, options: CreateOptions = {}): Promise<DriverSandbox> {
    const { id } = spec;
    if (this.#closed) throw new SandportFault('shutting_down', 'The driver is stopping.');
    if (this.#creating.has(id) || this.#context.held.has(id)) {
      const reason = `a sandbox with the id ${id} exists`;
      throw new SandportFault('create_failed', `The sandbox was not started: ${reason}.`, {
        reason,
      });
    }
    const abort = new AbortController();
    const signal = options.signal ? AbortSignal.any([abort.signal, options.signal]) : abort.signal;
    const { from, memory = true, onFallback } = options;
    const how = { memory, signal, ...(onFallback && { onFallback }) };
    const done =
      from === undefined
        ? createSandbox(this.#context, spec, { signal })
        : createFromSnapshot(this.#context, spec, this.#snapshots.origin(from), how);
    this.#creating.set(id, { abort, done });
    try {
      return await done;
    } finally {
      this.#creating.delete(id);
    }
  }

  async adopt({ sandboxes, snapshots }: Known): Promise<AdoptionReport> {
    await this.#snapshots.adopt(snapshots);
    return adoptSandboxes(this.#context, sandboxes);
  }

  async pause(id: SandboxId): Promise<void> {
    const held = this.#held(id);
    await this.#during(id, () => pauseSandbox(this.#context, held));
  }

  async resume(id: SandboxId): Promise<void> {
    const held = this.#held(id);
    await this.#during(id, () => resumeSandbox(held));
  }

  async hibernate(id: SandboxId): Promise<StoppedSandbox & { readonly hibernation: Hibernation }> {
    const held = this.#held(id);
    return this.#during(id, () => hibernateSandbox(this.#context, held));
  }

  async wake(spec: SandboxSpec, options: { signal?: AbortSignal } = {}): Promise<WokenSandbox> {
    const held = this.#held(spec.id);
    return this.#during(spec.id, (ended) => {
      const signal = options.signal ? AbortSignal.any([options.signal, ended]) : ended;
      return wakeSandbox(this.#context, held, spec, { signal });
    });
  }

  async fork(
    parent: SandboxId,
    children: readonly SandboxSpec[],
    { memory = false, signal }: ForkOptions = {},
  ): Promise<ForkReport> {
    const held = this.#held(parent);
    const aborts = new Map(children.map(({ id }) => [id, new AbortController()]));
    const done = this.#during(parent, (ended) =>
      forkSandbox(this.#context, held, children, {
        memory,
        signal: signal ? AbortSignal.any([signal, ended]) : ended,
        signalOf: ({ id }) => aborts.get(id)?.signal ?? ended,
      }),
    );
    for (const [id, abort] of aborts) this.#creating.set(id, { abort, done });
    try {
      return await done;
    } finally {
      for (const id of aborts.keys()) this.#creating.delete(id);
    }
  }

  async restore(spec: SandboxSpec, snapshot: SnapshotId): Promise<WokenSandbox> {
    const held = this.#held(spec.id);
    const origin = this.#snapshots.origin(snapshot);
    return this.#during(spec.id, () => restoreSandbox(this.#context, held, spec, origin));
  }

  async reconfigure(spec: SandboxSpec): Promise<void> {
    const held = this.#held(spec.id);
    await this.#during(spec.id, () => reconfigureSandbox(this.#context, held, spec));
  }

  onNetworkDenied(listener: (denial: NetworkDenial) => void): void {
    this.#context.network.onDenied(listener);
  }

  async usage(id: SandboxId, options: UsageOptions = {}): Promise<SandboxUsage> {
    const held = this.#context.held.get(id);
    if (held !== undefined) return usageOf(this.#context, held, options);
    throw new SandportFault('sandbox_not_found', `No sandbox ${id}.`, { sandbox: id });
  }

  remove(id: SandboxId): Promise<void> {
    const removal =
      this.#removing.get(id) ?? this.#remove(id).finally(() => this.#removing.delete(id));
    this.#removing.set(id, removal);
    return removal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { context, creating } = {
      context: this.#context,
      creating: [...this.#creating.values()],
    };
    for (const { abort } of creating) abort.abort(shuttingDown());
    await Promise.allSettled(creating.map(({ done }) => done));
    await context.templates.close();
    for (const id of this.#changing.keys()) await this.#endChanges(id, shuttingDown());
    await Promise.allSettled(this.#removing.values());
    context.liveness.close();
    await Promise.all([...context.held.values()].map((held) => held.release()));
    await context.volumes.close([...context.held.values()].map(({ spec }) => spec));
    await context.network.close();
    await context.ranges.close();
    await Promise.all(context.background);
    await removeWhenEmpty(context.layout);
    await closePool(context.layout.dataDir);
  }

  /** @throws SandportFault `sandbox_not_found`, also for one that is being removed */
  #held(id: SandboxId): HeldSandbox {
    const held = this.#removing.has(id) ? undefined : this.#context.held.get(id);
    if (held) return held;
    throw new SandportFault('sandbox_not_found', 'The driver does not have this sandbox.', {
      sandbox: id,
    });
  }

  /** Runs what changes a sandbox, or reads its disk, so that a removal waits for its end. */
  async #during<T>(id: SandboxId, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed) throw shuttingDown();
    const abort = new AbortController();
    const done = task(abort.signal);
    const change: Change = { abort, done };
    const changes = this.#changing.get(id) ?? new Set();
    this.#changing.set(id, changes.add(change));
    try {
      return await done;
    } finally {
      changes.delete(change);
      if (changes.size === 0) this.#changing.delete(id);
    }
  }

  async #endChanges(id: SandboxId, reason: SandportFault): Promise<void> {
    const changes = [...(this.#changing.get(id) ?? [])];
    for (const { abort } of changes) abort.abort(reason);
    await Promise.allSettled(changes.map(({ done }) => done));
  }

  async #remove(id: SandboxId): Promise<void> {
    const context = this.#context;
    const creating = this.#creating.get(id);
    creating?.abort.abort(new SandportFault('create_failed', 'The sandbox was removed.'));
    await creating?.done.catch(() => {});
    await this.#endChanges(
      id,
      new SandportFault('sandbox_not_found', 'The sandbox was removed.', { sandbox: id }),
    );
    context.liveness.unwatch(id);
    const held = context.held.get(id);
    context.held.delete(id);
    await held?.release();
    try {
      await removeSandbox(context, id);
    } catch (error) {
      throw new SandportFault(
        'internal',
        `The sandbox ${id} could not be removed completely.`,
        { sandbox: id },
        { cause: error },
      );
    }
  }
}

const shuttingDown = () => new SandportFault('shutting_down', 'The driver is stopping.');
