import type { Driver, DriverSandbox, SandboxLimits } from '@sandport/driver';
import { type CreateSandbox, parseGuestPath, SandportFault } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import type { Events } from '../events.ts';
import { type Principal, requireMayUse } from '../principal.ts';
import type { NamespaceNetworks } from '../networks/namespace-networks.ts';
import { takenRow } from '../pools/member-row.ts';
import type { Pools } from '../pools/pools.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { UsedSnapshot } from '../snapshots/used-snapshot.ts';
import type { Templates } from '../templates.ts';
import { discardCopies } from '../uploads/discard-copies.ts';
import type { Volumes } from '../volumes.ts';
import { type Entry, hasProcesses, newEntry, specOf } from './entry.ts';
import { requireMayOpen } from './network.ts';
import { defaultNamespace, newRow, originOf } from './new-row.ts';
import type { Registry } from './registry.ts';
import { sameLimits } from './same-limits.ts';
import type { States } from './states.ts';

export interface CreationOptions {
  readonly driver: Driver;
  readonly registry: Registry;
  readonly states: States;
  readonly templates: Templates;
  /** Called at each use: volumes and sandboxes know each other. */
  readonly volumes: () => Volumes;
  /** The same. */
  readonly snapshots: () => Pick<Snapshots, 'use'>;
  /** The same. */
  readonly pools: () => Pick<Pools, 'take' | 'putBack'>;
  readonly networks: Pick<NamespaceNetworks, 'admit' | 'defaultOf'>;
  readonly events: Events;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** What a sandbox is made of. */
interface Plan {
  readonly request: CreateSandbox;
  /** On the clock of `performance.now`. */
  readonly startedAt: number;
  readonly snapshot?: UsedSnapshot;
  /** Begin with the processes of the snapshot. */
  readonly memory?: boolean;
  /** What the sandbox that was made ahead has. */
  readonly memberLimits?: SandboxLimits;
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
    requireMayOpen(principal, request.network);
    const { driver, templates, snapshots, pools, networks } = this.#options;
    if (request.from_snapshot !== undefined) {
      using snapshot = snapshots().use(principal, request.from_snapshot);
      const namespace = request.namespace ?? snapshot.namespace;
      requireMayUse(principal, namespace);
      const { origin } = snapshot;
      const entry = newEntry(newRow(request, namespace, origin, driver));
      const { network } = specOf(entry.row);
      requireMayOpen(principal, network);
      networks.admit(namespace, network, whenceOf(request, 'the snapshot'));
      const memory = snapshot.memoryFor(entry.row, request.memory);
      return await this.#create(entry, { request, startedAt, snapshot, memory }, options);
    }
    const namespace = request.namespace ?? defaultNamespace;
    requireMayUse(principal, namespace);
    const template = await templates.resolve(request.template ?? 'default');
    const origin = originOf(template);
    const { network: its = networks.defaultOf(namespace) } = origin;
    const row = newRow(request, namespace, { ...origin, network: its }, driver);
    const whence = whenceOf(request, `the template "${template.name}"`);
    networks.admit(namespace, specOf(row).network, whence);
    const member = pools().take(row, template);
    const plan = { request, startedAt };
    if (member !== undefined) return this.#claim(member, row, plan, options);
    return this.#create(newEntry(row), plan, options);
  }

  /** Makes a sandbox that was made ahead the one that was asked for. */
  #claim(
    member: Entry,
    asked: SandboxRow,
    plan: Plan,
    options: { signal?: AbortSignal },
  ): Promise<Entry> {
    const { registry, pools } = this.#options;
    const { limits: memberLimits } = specOf(member.row);
    try {
      registry.claim(member, takenRow(asked, member.row));
    } catch (error) {
      pools().putBack(member);
      throw error;
    }
    return this.#finish(member, { ...plan, memberLimits }, options);
  }

  #create(entry: Entry, plan: Plan, options: { signal?: AbortSignal }): Promise<Entry> {
    this.#options.registry.insert(entry);
    return this.#finish(entry, plan, options);
  }

  async #finish(entry: Entry, plan: Plan, options: { signal?: AbortSignal }): Promise<Entry> {
    const cancel = () => entry.abort.abort();
    options.signal?.addEventListener('abort', cancel, { once: true });
    if (options.signal?.aborted) cancel();
    try {
      await entry.turns.take(() => this.#boot(entry, plan));
    } finally {
      options.signal?.removeEventListener('abort', cancel);
    }
    return entry;
  }

  /** On failure nothing of the sandbox is left. */
  async #boot(entry: Entry, plan: Plan): Promise<void> {
    const { request, startedAt, snapshot, memory } = plan;
    const { driver, registry, states, volumes, events, log } = this.#options;
    const spec = specOf(entry.row);
    let sandbox: DriverSandbox | undefined;
    let isMember = false;
    let fallback: string | undefined;
    try {
      await volumes().ensure(spec.namespace, spec.volumes);
      sandbox = await this.#adapt(entry, plan);
      isMember = sandbox !== undefined;
      const { signal } = entry.abort;
      const onFallback = (reason: string) => {
        fallback = reason;
      };
      const from =
        snapshot === undefined ? {} : { from: snapshot.id, memory: memory === true, onFallback };
      sandbox ??= await driver.create(spec, { signal, ...from });
      await discardCopies(sandbox, snapshot?.staged ?? [], log);
      if (request.workdir !== undefined) await makeWorkdir(sandbox, request.workdir);
      entry.abort.signal.throwIfAborted();
    } catch (error) {
      if (sandbox !== undefined || entry.sandbox !== undefined) await driver.remove(spec.id);
      registry.forget(spec.id);
      throw entry.abort.signal.aborted
        ? new SandportFault('create_failed', 'The sandbox was deleted while it was being made.', {
            reason: 'deleted',
          })
        : error;
    }
    const bootMs = Math.round((performance.now() - startedAt) * 10) / 10;
    entry.activity.touch();
    const fromSnapshot = memory === true && fallback === undefined ? 'memory' : 'disk';
    const bootMode = snapshot === undefined ? (isMember ? 'pool' : 'cold') : fromSnapshot;
    states.started(entry, sandbox, { bootMs, bootMode, statusReason: fallback });
    events.emit(entry.row, 'created', { boot_ms: bootMs, boot_mode: entry.row.bootMode });
  }

  /**
   * Gives a sandbox that was made ahead what was asked for; one that is broken is taken away, and
   * made like any other. @throws SandportFault `invalid_request`: no sandbox can have this
   */
  async #adapt(entry: Entry, { memberLimits }: Plan): Promise<DriverSandbox | undefined> {
    const { driver, log } = this.#options;
    const { sandbox: member } = entry;
    if (!hasProcesses(member)) return undefined;
    const spec = specOf(entry.row);
    try {
      await driver.reconfigure(spec);
      return member;
    } catch (error) {
      // A limit that this one is above already is none that a new one would be above.
      const isSame = sameLimits(spec.limits, memberLimits);
      if (isSame && error instanceof SandportFault && error.code === 'invalid_request') throw error;
      log('sandbox of a pool not usable', { sandbox: spec.id, error: String(error) });
      await driver.remove(spec.id);
      entry.sandbox = undefined;
      return undefined;
    }
  }
}

/** Whose network it is, where the request says nothing of it. */
const whenceOf = ({ network }: CreateSandbox, origin: string): string | undefined =>
  network === undefined ? origin : undefined;

/** A working directory of the caller's choice is made, so that the first command finds it. */
async function makeWorkdir(sandbox: DriverSandbox, workdir: string): Promise<void> {
  await sandbox.files.makeDirectory(parseGuestPath(workdir));
}
