import type {
  AdoptionReport,
  CreateOptions,
  Driver,
  DriverSandbox,
  ForkReport,
  Hibernation,
  Known,
  SandboxSpec,
  SandboxUsage,
  SnapshotStore,
  StoppedSandbox,
  TemplateStore,
  VolumeStore,
  WokenSandbox,
} from '@sandport/driver';
import type { Isolation, SandboxId } from '@sandport/protocol';
import { SandportFault } from '@sandport/protocol';
import type { DriverContext } from './context.ts';
import { removeWhenEmpty } from './run-dir.ts';
import { adoptSandboxes } from './sandbox/adopt.ts';
import { createSandbox } from './sandbox/create.ts';
import type { HeldSandbox } from './sandbox/held-sandbox.ts';
import { hibernateSandbox } from './sandbox/hibernate.ts';
import { pauseSandbox, resumeSandbox } from './sandbox/pause.ts';
import { removeSandbox } from './sandbox/remove.ts';
import { wakeSandbox } from './sandbox/wake.ts';
import { closePool } from './storage/pool.ts';

/** Runs sandboxes on this machine through OCI runtimes. */
export class LocalDriver implements Driver {
  readonly name = 'local';
  readonly isolations: readonly Isolation[];
  readonly memoryIsolations: readonly Isolation[];
  readonly templates: TemplateStore;
  readonly volumes: VolumeStore;
  readonly snapshots: SnapshotStore;
  readonly #context: DriverContext;
  readonly #creating = new Map<SandboxId, { abort: AbortController; done: Promise<unknown> }>();
  readonly #removing = new Map<SandboxId, Promise<void>>();
  #closed = false;

  constructor(context: DriverContext) {
    this.#context = context;
    this.isolations = [...context.runtimes.keys()];
    this.memoryIsolations = this.isolations.filter((each) => each === 'gvisor');
    this.snapshots = { create: notThere, remove: async () => {} };
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
    const done = createSandbox(this.#context, spec, { signal });
    this.#creating.set(id, { abort, done });
    try {
      return await done;
    } finally {
      this.#creating.delete(id);
    }
  }

  adopt(known: Known): Promise<AdoptionReport> {
    return adoptSandboxes(this.#context, known.sandboxes);
  }

  async pause(id: SandboxId): Promise<void> {
    await pauseSandbox(this.#context, this.#held(id));
  }

  async resume(id: SandboxId): Promise<void> {
    await resumeSandbox(this.#held(id));
  }

  async hibernate(id: SandboxId): Promise<StoppedSandbox & { readonly hibernation: Hibernation }> {
    return hibernateSandbox(this.#context, this.#held(id));
  }

  async wake(spec: SandboxSpec, options: { signal?: AbortSignal } = {}): Promise<WokenSandbox> {
    return wakeSandbox(this.#context, this.#held(spec.id), spec, options);
  }

  fork(_parent: SandboxId, _children: readonly SandboxSpec[]): Promise<ForkReport> {
    return notThere();
  }

  restore(_spec: SandboxSpec): Promise<WokenSandbox> {
    return notThere();
  }

  reconfigure(_spec: SandboxSpec): Promise<void> {
    return notThere();
  }

  usage(_id: SandboxId): Promise<SandboxUsage> {
    return notThere();
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
    await Promise.allSettled(this.#removing.values());
    context.liveness.close();
    await Promise.all([...context.held.values()].map((held) => held.release()));
    await context.volumes.close({ inUse: context.held.size > 0 });
    await context.ranges.close();
    await Promise.all(context.background);
    await removeWhenEmpty(context.layout);
    await closePool(context.layout.dataDir);
  }

  /** @throws SandportFault `sandbox_not_found` */
  #held(id: SandboxId): HeldSandbox {
    const held = this.#context.held.get(id);
    if (held) return held;
    throw new SandportFault('sandbox_not_found', 'The driver does not have this sandbox.', {
      sandbox: id,
    });
  }

  async #remove(id: SandboxId): Promise<void> {
    const context = this.#context;
    const creating = this.#creating.get(id);
    creating?.abort.abort(new SandportFault('create_failed', 'The sandbox was removed.'));
    await creating?.done.catch(() => {});
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

const notThere = (): Promise<never> =>
  Promise.reject(new SandportFault('internal', 'The driver cannot do this yet.'));

const shuttingDown = () => new SandportFault('shutting_down', 'The driver is stopping.');
