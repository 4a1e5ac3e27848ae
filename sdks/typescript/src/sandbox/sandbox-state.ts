import {
  type Lifecycle,
  lifecycleSchema,
  type Metrics,
  metricsSchema,
  type PromoteResult,
  promoteResultSchema,
  type SandboxEvent,
  type SandboxObject,
  sandboxSchema,
  type SandboxStatus,
  type SnapshotObject,
  snapshotSchema,
  type WokenSandboxObject,
  wokenSandboxSchema,
} from '@sandport/protocol';
import type { Transport } from '../http/transport.ts';
import type { SignalOptions } from '../filesystem/progress.ts';
import {
  type EventsOptions,
  followEvents,
  type FollowEventsOptions,
  listEvents,
} from './events.ts';
import type { PromoteOptions, SnapshotOptions } from './fork-options.ts';
import {
  lifecycleBody,
  type LifecycleOptions,
  updateBody,
  type UpdateOptions,
} from './lifecycle-options.ts';
import { SandboxApi } from './sandbox-api.ts';

export interface MetricsOptions extends SignalOptions {
  /** Most seconds of history. @default 3600 */
  historySeconds?: number | undefined;
}

/** What a sandbox is, which state it is in, and how long it stays. */
export class SandboxState {
  protected readonly api: SandboxApi;
  #info: SandboxObject;

  protected constructor(transport: Transport, info: SandboxObject) {
    this.api = new SandboxApi(transport, info.id);
    this.#info = info;
  }

  get id(): string {
    return this.#info.id;
  }

  /** Undefined when it was made without one. */
  get name(): string | undefined {
    return this.#info.name;
  }

  /** As of the last answer about this sandbox; see `refresh`. */
  get status(): SandboxStatus {
    return this.#info.status;
  }

  get template(): string {
    return this.#info.template;
  }

  /** Everything the API says about the sandbox, spelled as it does; see `refresh`. */
  get info(): SandboxObject {
    return this.#info;
  }

  /** Asks the daemon for the present state. @throws NotFoundError when the sandbox is gone */
  async refresh({ signal }: SignalOptions = {}): Promise<SandboxObject> {
    return this.keep(await this.api.get('', sandboxSchema, { signal }));
  }

  /** Freezes all processes where they are. Files are still read; commands are refused. */
  async pause(options: SignalOptions = {}): Promise<SandboxObject> {
    return this.keep(await this.api.send('POST', '/pause', sandboxSchema, options));
  }

  /** Lets a paused sandbox go on. No error when it runs. */
  async resume(options: SignalOptions = {}): Promise<SandboxObject> {
    return this.keep(await this.api.send('POST', '/resume', sandboxSchema, options));
  }

  /**
   * Ends the processes and gives their memory back to the machine. With `gvisor` they are kept on
   * the disk: `memory` of the answer tells. A command or a write wakes the sandbox.
   */
  async hibernate(options: SignalOptions = {}): Promise<SandboxObject> {
    return this.keep(await this.api.send('POST', '/hibernate', sandboxSchema, options));
  }

  /**
   * Gives a hibernated or failed sandbox its processes back. No error when it runs.
   * @returns with `woken`, and `memory`: false when it began afresh from its disk
   */
  async wake(options: SignalOptions = {}): Promise<WokenSandboxObject> {
    return this.#woken(await this.api.send('POST', '/wake', wokenSandboxSchema, options));
  }

  /**
   * Puts the state of a snapshot in the place of the sandbox's own; what was written since is lost.
   * @param snapshot its id or name
   * @throws NotFoundError
   */
  async restore(
    snapshot: string | { readonly id: string },
    options: SignalOptions = {},
  ): Promise<WokenSandboxObject> {
    const json = { snapshot: typeof snapshot === 'string' ? snapshot : snapshot.id };
    const answer = this.api.send('POST', '/restore', wokenSandboxSchema, { ...options, json });
    return this.#woken(await answer);
  }

  /** Freezes the state under an id of its own, which outlives the sandbox. The sandbox goes on. */
  snapshot({ signal, ...json }: SnapshotOptions = {}): Promise<SnapshotObject> {
    return this.api.send('POST', '/snapshots', snapshotSchema, { signal, json });
  }

  /** Snapshots of this sandbox, newest first. */
  snapshots(options: SignalOptions = {}): Promise<SnapshotObject[]> {
    return this.api.get('/snapshots', snapshotSchema.array(), options);
  }

  /** Makes a child the keeper of its tree. @returns which siblings were deleted */
  async promote(options: PromoteOptions = {}): Promise<PromoteResult> {
    const { cleanupSiblings, treeId, signal } = options;
    const json = { cleanup_siblings: cleanupSiblings, tree_id: treeId };
    const result = await this.api.send('POST', '/promote', promoteResultSchema, { signal, json });
    const { fork_tree_id: _, ...info } = this.#info;
    this.#info = info;
    return result;
  }

  /** Changes limits, labels, the environment or the network. What is left out stays. */
  async update(options: UpdateOptions): Promise<SandboxObject> {
    const json = updateBody(options);
    const { signal } = options;
    return this.keep(await this.api.send('PATCH', '', sandboxSchema, { signal, json }));
  }

  /** How long the sandbox stays; with options, changes it. */
  async lifecycle(options: LifecycleOptions = {}): Promise<Lifecycle> {
    const { signal } = options;
    const json = lifecycleBody(options);
    const changes = Object.values(json).some((value) => value !== undefined);
    if (!changes) return this.api.get('/lifecycle', lifecycleSchema, { signal });
    const changed = await this.api.send('PATCH', '/lifecycle', lifecycleSchema, { signal, json });
    const { idle_seconds: _, ...fields } = changed;
    const { expires_at: __, ...rest } = this.#info;
    this.#info = { ...rest, ...fields };
    return changed;
  }

  /** Seconds from now at which the sandbox is deleted; 0: never. */
  setTtl(seconds: number, options: SignalOptions = {}): Promise<Lifecycle> {
    return this.lifecycle({ ttlSeconds: seconds, ...options });
  }

  /** True: the time to live does not delete the sandbox. */
  setPersistent(persistent: boolean, options: SignalOptions = {}): Promise<Lifecycle> {
    return this.lifecycle({ persistent, ...options });
  }

  /** Seconds without a command or a transfer after which the sandbox is put away; 0: never. */
  setIdleTimeout(
    seconds: number,
    options: Pick<LifecycleOptions, 'idleAction' | 'signal'> = {},
  ): Promise<Lifecycle> {
    return this.lifecycle({ idleTimeoutSeconds: seconds, ...options });
  }

  /** What the sandbox uses, now and over the last hour. */
  metrics({ historySeconds, signal }: MetricsOptions = {}): Promise<Metrics> {
    const query = { history: historySeconds };
    return this.api.get('/metrics', metricsSchema, { signal, query });
  }

  /** The last things that happened to the sandbox, oldest first. */
  events(options: EventsOptions = {}): Promise<SandboxEvent[]> {
    return listEvents(this.#eventSource, options);
  }

  /**
   * What happens to the sandbox, as it happens. A broken connection is made again, and no event is
   * missed. The loop ends when the sandbox is gone.
   *
   * @example
   * for await (const event of sandbox.followEvents()) console.log(event.type);
   */
  followEvents(options: FollowEventsOptions = {}): AsyncGenerator<SandboxEvent, void, undefined> {
    return followEvents(this.#eventSource, options);
  }

  /** Remembers what an answer says about the sandbox. */
  protected keep(info: SandboxObject): SandboxObject {
    this.#info = info;
    return info;
  }

  get #eventSource() {
    return { transport: this.api.transport, sandboxPath: this.api.path };
  }

  #woken(answer: WokenSandboxObject): WokenSandboxObject {
    // Of a sandbox that runs, `memory` is no property of its own.
    const { woken: _, memory: __, ...info } = answer;
    this.#info = info;
    return answer;
  }
}
