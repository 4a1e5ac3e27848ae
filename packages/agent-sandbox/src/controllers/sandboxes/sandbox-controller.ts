import { isDeepStrictEqual } from 'node:util';
import type { Engine, Principal } from '@sandport/engine';
import {
  type KubeObject,
  type ObjectStore,
  resourceKey,
  type StoreChange,
} from '@sandport/kube-api';
import { SandportFault, volumeNameSchema } from '@sandport/protocol';
import type { PodNetwork } from '../../pods/pod-network.ts';
import { keys } from '../../resources/keys.ts';
import { volumesFinalizer } from '../../resources/labels.ts';
import { sandboxSpec } from '../../templates/blueprint.ts';
import { networkOfSandbox, templateNameOf } from '../../templates/network/template-network.ts';
import { volumeClaimName } from '../../templates/volume-claims.ts';
import type { EventRecorder } from '../events/event-recorder.ts';
import { conditionOf } from '../status/conditions.ts';
import { removeIfThere, writeStatus } from '../status/write-status.ts';
import { objectKey, parseKey } from '../work/object-key.ts';
import { msUntil } from '../work/ms-until.ts';
import type { WorkQueue } from '../work/work-queue.ts';
import type { HeldSandbox, HeldSandboxes } from './held-sandboxes.ts';
import { Pods } from './pods.ts';
import type { SandboxStarter, Start } from './sandbox-starter.ts';
import { expiredStatus, failedStatus, notReadyStatus, suspendedStatus } from './sandbox-status.ts';
import { WaitingForRoom } from './waiting-for-room.ts';

export interface SandboxControllerOptions {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly principal: Principal;
  readonly network: PodNetwork;
  readonly held: HeldSandboxes;
  readonly starter: SandboxStarter;
  readonly events: EventRecorder;
  readonly queue: WorkQueue;
}

/** How long a start may take before the object says that it is under way, in milliseconds. */
const tellStartAfterMs = 200;
/** When what cannot be started is tried again, in milliseconds. */
const tryAgainAfterMs = 30_000;

/** What happens often, and changes nothing that objects tell. */
const unimportant: ReadonlySet<string> = new Set([
  'network_denied',
  'command_started',
  'command_ended',
]);

/** Brings the engine's sandboxes to what Sandbox objects say. */
export class SandboxController {
  readonly #options: SandboxControllerOptions;
  readonly #pods: Pods;
  readonly #crowded = new WaitingForRoom();
  /** Starts that are under way, by key. */
  readonly #starting = new Map<string, { readonly uid: string; readonly abort: AbortController }>();

  constructor(options: SandboxControllerOptions) {
    this.#options = options;
    this.#pods = new Pods(options);
  }

  /** To be called with every change of the store. */
  onChange({ type, resource, object }: StoreChange): void {
    const { queue } = this.#options;
    const { namespace = '', name } = object.metadata;
    const key = objectKey(namespace, name);
    const kind = resourceKey(resource);
    if (kind === keys.sandboxes) {
      if (type === 'DELETED' || object.metadata.deletionTimestamp !== undefined)
        this.#abortStart(key, object);
      queue.add(key);
    }
    if (kind === keys.templates && type !== 'DELETED')
      for (const its of this.#options.store.list(keys.sandboxes, namespace))
        if (templateNameOf(its) === name) queue.add(objectKey(namespace, its.metadata.name));
    if (kind === keys.pods && type === 'DELETED' && this.#pods.wasDeleted(key, object))
      queue.add(key);
  }

  /** To be called when something happened to a sandbox of the engine. */
  onEngineEvent(sandboxId: string, type: string): void {
    if (unimportant.has(type)) return;
    const { held, queue } = this.#options;
    const its = held.byId(sandboxId);
    if (its !== undefined) queue.add(its.key);
    if (type === 'deleted' || type === 'hibernated' || type === 'changed')
      for (const key of this.#crowded.next()) queue.add(key);
  }

  async reconcile(key: string): Promise<number | undefined> {
    const { store, held } = this.#options;
    const { namespace, name } = parseKey(key);
    const object = store.get(keys.sandboxes, namespace, name);
    this.#crowded.delete(key);
    const its = held.get(key);
    if (its !== undefined && its.uid !== object?.metadata.uid) await this.#end(its);
    if (object === undefined) return undefined;
    if (object.metadata.deletionTimestamp !== undefined) return this.#finish(object);
    const leftMs = msUntil(sandboxSpec(object).shutdownTime);
    if (leftMs <= 0) return this.#expire(object);
    const againMs =
      sandboxSpec(object).operatingMode === 'Suspended'
        ? await this.#suspend(object)
        : await this.#run(object, leftMs);
    const soonestMs = Math.min(leftMs, againMs ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(soonestMs) ? soonestMs : undefined;
  }

  /** The engine's status of a sandbox; undefined: it is gone or going. */
  #statusOf({ located }: HeldSandbox): string | undefined {
    const row = this.#options.engine.sandboxes.registry.byId(located.sandboxId)?.row;
    return row?.status === 'deleted' ? undefined : row?.status;
  }

  async #run(object: KubeObject, leftMs: number): Promise<number | undefined> {
    const { held, engine, principal, events, store } = this.#options;
    const key = objectKey(object.metadata.namespace ?? '', object.metadata.name);
    let its = held.get(key);
    if (its !== undefined && (its.restart || this.#statusOf(its) === undefined)) {
      this.#say(object, 'DependenciesNotReady', 'Pod does not exist');
      events.record(object, {
        type: 'Normal',
        reason: 'Killing',
        message: `Pod ${object.metadata.name} was deleted; it is made anew`,
      });
      await this.#end(its);
      its = undefined;
    }
    if (its === undefined) return this.#start(object, leftMs);
    const status = this.#statusOf(its);
    if (status === 'failed') {
      const { row } = engine.sandboxes.registry.byId(its.located.sandboxId) ?? {};
      const message = row?.statusReason ?? 'the sandbox died';
      if (conditionOf(object, 'Finished') === undefined)
        events.record(object, { type: 'Warning', reason: 'Failed', message });
      this.#pods.fail(object, its, message);
      writeStatus(store, keys.sandboxes, object, failedStatus(object, message));
      return undefined;
    }
    if (its.asleep || (status === 'hibernated' && isSuspended(object))) {
      await engine.sandboxes.wake(principal, its.located.sandboxId);
      its.asleep = false;
      events.record(object, { type: 'Normal', reason: 'Resumed', message: 'Sandbox runs again' });
    }
    await this.#pods.show(object, its);
    return this.#followTemplate(object, its);
  }

  /** Sandboxes have the network policy that their template has now. */
  async #followTemplate(object: KubeObject, its: HeldSandbox): Promise<number | undefined> {
    const { store, engine, principal, events } = this.#options;
    const network = networkOfSandbox(store, object);
    const { sandboxId } = its.located;
    if (network === undefined) return undefined;
    const { pending: _, ...has } = engine.sandboxes.get(principal, sandboxId).network;
    if (isDeepStrictEqual(has, network)) return undefined;
    try {
      await engine.sandboxes.change(principal, sandboxId, { network });
    } catch (error) {
      if (!(error instanceof SandportFault)) throw error;
      const { message } = error;
      events.record(object, { type: 'Warning', reason: 'NetworkPolicyNotApplied', message });
      return tryAgainAfterMs;
    }
    return undefined;
  }

  async #start(object: KubeObject, leftMs: number): Promise<number | undefined> {
    const { starter, held, events, queue } = this.#options;
    const { namespace = '', name, uid = '' } = object.metadata;
    const key = objectKey(namespace, name);
    const abort = new AbortController();
    this.#starting.set(key, { uid, abort });
    const tell = setTimeout(() => {
      if (conditionOf(object, 'Ready') === undefined)
        this.#say(object, 'DependenciesNotReady', 'Pod is being started');
    }, tellStartAfterMs);
    const end = setTimeout(() => abort.abort(), Math.min(leftMs, 2_147_483_647)).unref();
    let start: Start;
    try {
      start = await starter.start(object, abort.signal);
    } catch (error) {
      const isOver = abort.signal.aborted;
      if (!isOver) this.#say(object, 'ReconcilerError', `Error seen: ${messageOf(error)}`);
      if (isOver) return 0;
      throw error;
    } finally {
      clearTimeout(tell);
      clearTimeout(end);
      this.#starting.delete(key);
    }
    if (start.kind === 'started') {
      const its = held.hold(start.sandbox, name, uid);
      await this.#pods.show(object, its, start.plan);
      this.#tellStart(object, start);
      return undefined;
    }
    this.#say(object, start.reason, start.message);
    if (start.until !== undefined) {
      void start.until.then(() => queue.add(key));
      return undefined;
    }
    events.record(object, { type: 'Warning', reason: 'FailedCreate', message: start.message });
    if (start.crowded === true) this.#crowded.add(namespace, key);
    return tryAgainAfterMs * (0.75 + Math.random() / 2);
  }

  #tellStart(object: KubeObject, { sandbox, plan }: Start & { readonly kind: 'started' }): void {
    const { events } = this.#options;
    const { id, template, boot_mode: mode, boot_ms: bootMs } = sandbox;
    const messages = {
      Pulled: `Image "${plan.image}" is the template "${template}"`,
      Created: `Created sandbox ${id} (${mode}, ${Math.round(bootMs)} ms)`,
      Started: 'Sandbox takes commands',
    };
    for (const [reason, message] of Object.entries(messages))
      events.record(object, { type: 'Normal', reason, message });
  }

  async #suspend(object: KubeObject): Promise<number | undefined> {
    const { held, engine, principal, store, events } = this.#options;
    const { namespace = '', name } = object.metadata;
    const its = held.get(objectKey(namespace, name));
    if (its !== undefined) {
      this.#pods.remove(its);
      const status = this.#statusOf(its);
      if (its.restart || status === undefined) await this.#end(its);
      else if (status !== 'failed') {
        its.asleep = true;
        if (status !== 'hibernated') {
          await engine.sandboxes.enter(principal, its.located.sandboxId, 'hibernate');
          events.record(object, { type: 'Normal', reason: 'Suspended', message: 'Sandbox sleeps' });
        }
      }
    }
    writeStatus(store, keys.sandboxes, object, suspendedStatus(object));
    return undefined;
  }

  /** Ends the sandbox and its pod; the policy says what becomes of the object. */
  async #expire(object: KubeObject): Promise<number | undefined> {
    const { held, store, events } = this.#options;
    const { namespace = '', name } = object.metadata;
    writeStatus(store, keys.sandboxes, object, expiredStatus(object));
    const its = held.get(objectKey(namespace, name));
    if (its !== undefined) {
      events.record(object, { type: 'Normal', reason: 'Expired', message: 'Sandbox has expired' });
      await this.#end(its);
    }
    this.#pods.removeService(object);
    if (sandboxSpec(object).shutdownPolicy === 'Delete')
      removeIfThere(store, keys.sandboxes, object);
    return undefined;
  }

  /** The object is being deleted and waits for its volumes. */
  async #finish(object: KubeObject): Promise<number | undefined> {
    const { engine, principal, held, store } = this.#options;
    const { namespace = '', name, finalizers = [] } = object.metadata;
    const its = held.get(objectKey(namespace, name));
    if (its !== undefined) await this.#end(its);
    if (!finalizers.includes(volumesFinalizer)) return undefined;
    for (const template of sandboxSpec(object).volumeClaimTemplates ?? []) {
      const volume = volumeNameSchema.safeParse(volumeClaimName(template, name));
      const space = engine.volumes
        .list(principal)
        .find((each) => each.namespace === namespace && each.name === volume.data)?.namespace;
      if (volume.success && space !== undefined)
        await engine.volumes.remove(principal, space, volume.data);
    }
    const current = store.get(keys.sandboxes, namespace, name);
    if (current === undefined || current.metadata.uid !== object.metadata.uid) return undefined;
    const left = (current.metadata.finalizers ?? []).filter((each) => each !== volumesFinalizer);
    store.update(keys.sandboxes, {
      ...current,
      metadata: { ...current.metadata, finalizers: left },
    });
    return undefined;
  }

  /** Ends the engine's sandbox, with its pod. */
  async #end(its: HeldSandbox): Promise<void> {
    const { engine, principal, held } = this.#options;
    this.#pods.remove(its);
    try {
      await engine.sandboxes.remove(principal, its.located.sandboxId);
    } catch (error) {
      if (!(error instanceof SandportFault) || error.code !== 'sandbox_not_found') throw error;
    }
    held.letGo(its);
  }

  /** Gives up the starts that are under way. */
  close(): void {
    for (const { abort } of this.#starting.values()) abort.abort();
  }

  #abortStart(key: string, { metadata }: KubeObject): void {
    const starting = this.#starting.get(key);
    if (starting !== undefined && starting.uid === metadata.uid) starting.abort.abort();
  }

  #say(object: KubeObject, reason: string, message: string): void {
    const { store } = this.#options;
    writeStatus(store, keys.sandboxes, object, notReadyStatus(object, reason, message));
  }
}

const isSuspended = (object: KubeObject): boolean =>
  conditionOf(object, 'Suspended')?.status === 'True';

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
