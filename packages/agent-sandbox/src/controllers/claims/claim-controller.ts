import {
  type KubeObject,
  type ObjectStore,
  resourceKey,
  type StoreChange,
} from '@sandport/kube-api';
import { keys } from '../../resources/keys.ts';
import { claimSpec } from '../../templates/blueprint.ts';
import type { EventRecorder } from '../events/event-recorder.ts';
import type { ImageTemplates } from '../images/image-templates.ts';
import { conditionOf, type NewCondition, nextConditions } from '../status/conditions.ts';
import { removeIfThere, writeStatus } from '../status/write-status.ts';
import { msUntil } from '../work/ms-until.ts';
import { keyOf, parseKey } from '../work/object-key.ts';
import type { WorkQueue } from '../work/work-queue.ts';
import { sourceOfPool } from './blueprint-source.ts';
import { claimedSandbox } from './claimed-sandbox.ts';

export interface ClaimControllerOptions {
  readonly store: ObjectStore;
  readonly images: ImageTemplates;
  readonly events: EventRecorder;
  readonly queue: WorkQueue;
}

/** When a template that was missing is looked for again, in milliseconds. */
const lookAgainAfterMs = 60_000;

/** Gives every SandboxClaim its Sandbox, and tells the claim how that one is. */
export class ClaimController {
  readonly #options: ClaimControllerOptions;
  /** Claims whose template or pool is missing. */
  readonly #waiting = new Set<string>();

  constructor(options: ClaimControllerOptions) {
    this.#options = options;
  }

  /** To be called with every change of the store. */
  onChange({ resource, object }: StoreChange): void {
    const { queue } = this.#options;
    const kind = resourceKey(resource);
    if (kind === keys.claims) queue.add(keyOf(object));
    else if (kind === keys.sandboxes) {
      // A claim's Sandbox has its name.
      if (claimOf(object) !== undefined) queue.add(keyOf(object));
    } else if (kind === keys.templates || kind === keys.warmPools) {
      const { namespace = '' } = object.metadata;
      for (const key of this.#waiting) if (parseKey(key).namespace === namespace) queue.add(key);
    }
  }

  async reconcile(key: string): Promise<number | undefined> {
    const { store } = this.#options;
    const { namespace, name } = parseKey(key);
    this.#waiting.delete(key);
    const claim = store.get(keys.claims, namespace, name);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return undefined;
    const leftMs = this.#leftMs(claim);
    if (leftMs <= 0) return this.#expire(claim);
    const sandbox = store.get(keys.sandboxes, namespace, name);
    const againMs = sandbox === undefined ? await this.#make(claim) : this.#mirror(claim, sandbox);
    const soonestMs = Math.min(leftMs, againMs ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(soonestMs) ? soonestMs : undefined;
  }

  /** To its end: the time of its lifecycle, or some time after its sandbox has finished. */
  #leftMs(claim: KubeObject): number {
    const { shutdownTime, ttlSecondsAfterFinished: ttlSeconds } = claimSpec(claim).lifecycle ?? {};
    const finished = conditionOf(claim, 'Finished');
    const sinceFinishedMs =
      ttlSeconds === undefined || finished?.status !== 'True'
        ? Number.POSITIVE_INFINITY
        : msUntil(finished.lastTransitionTime) + ttlSeconds * 1000;
    return Math.min(msUntil(shutdownTime), sinceFinishedMs);
  }

  async #make(claim: KubeObject): Promise<number | undefined> {
    const { store, images, events } = this.#options;
    const { namespace = '', name } = claim.metadata;
    if (claim.status?.['sandbox'] !== undefined)
      return this.#say(claim, 'SandboxMissing', `Sandbox "${name}" was deleted`);
    const pool = claimSpec(claim).warmPoolRef?.name ?? '';
    const source = await sourceOfPool(pool, namespace, { store, images });
    if ('reason' in source) {
      this.#waiting.add(keyOf(claim));
      this.#say(claim, source.reason, source.message);
      return lookAgainAfterMs;
    }
    const claimed = claimedSandbox(claim, source);
    if ('fault' in claimed) {
      this.#waiting.add(keyOf(claim));
      return this.#say(claim, claimed.fault.reason, claimed.fault.message);
    }
    const current = store.get(keys.claims, namespace, name);
    if (current === undefined || isGoing(current)) return undefined;
    if (current.metadata.uid !== claim.metadata.uid) return 0;
    if (store.get(keys.sandboxes, namespace, name) !== undefined) return 0;
    store.create(keys.sandboxes, claimed.sandbox);
    events.record(claim, {
      type: 'Normal',
      reason: 'SandboxProvisioned',
      message: `Created Sandbox "${name}"`,
    });
    return undefined;
  }

  /** Name, addresses and readiness of the Sandbox, in one write. */
  #mirror(claim: KubeObject, sandbox: KubeObject): number | undefined {
    const { store } = this.#options;
    const { name } = sandbox.metadata;
    if (claimOf(sandbox) !== claim.metadata.uid) {
      // The one of an earlier claim of this name goes soon, and is told of then.
      if (isGoing(sandbox)) return undefined;
      const message = `A Sandbox "${name}" is there already and is not this claim's`;
      this.#say(claim, 'ReconcilerError', message);
      return lookAgainAfterMs;
    }
    const ready = conditionOf(sandbox, 'Ready');
    if (ready === undefined) return undefined;
    const finished = conditionOf(sandbox, 'Finished');
    const podIPs = sandbox.status?.['podIPs'];
    const conditions = nextConditions(claim, finished === undefined ? [ready] : [ready, finished]);
    writeStatus(store, keys.claims, claim, {
      conditions: conditions.map((condition) =>
        condition.type === 'Finished' && finished !== undefined
          ? { ...condition, lastTransitionTime: finished.lastTransitionTime }
          : condition,
      ),
      sandbox: { name, ...(podIPs === undefined ? {} : { podIPs }) },
    });
    return undefined;
  }

  #expire(claim: KubeObject): undefined {
    const { store, events } = this.#options;
    const { namespace = '', name, uid } = claim.metadata;
    const policy = claimSpec(claim).lifecycle?.shutdownPolicy ?? 'Retain';
    if (conditionOf(claim, 'Ready')?.reason !== 'ClaimExpired')
      events.record(claim, {
        type: 'Normal',
        reason: 'ClaimExpired',
        message: 'The claim expired',
      });
    if (policy !== 'Retain') {
      const propagation = policy === 'DeleteForeground' ? 'Foreground' : 'Background';
      removeIfThere(store, keys.claims, claim, { propagation });
      return undefined;
    }
    const sandbox = store.get(keys.sandboxes, namespace, name);
    if (sandbox !== undefined && claimOf(sandbox) === uid)
      removeIfThere(store, keys.sandboxes, sandbox);
    const finished = conditionOf(claim, 'Finished');
    const expired = notReady('ClaimExpired', 'The claim expired; its sandbox was deleted');
    const conditions = nextConditions(claim, [expired]);
    writeStatus(store, keys.claims, claim, {
      conditions: finished === undefined ? conditions : [...conditions, finished],
    });
    return undefined;
  }

  #say(claim: KubeObject, reason: string, message: string): undefined {
    const { store, events } = this.#options;
    const before = conditionOf(claim, 'Ready');
    if (before?.reason !== reason || before.message !== message)
      events.record(claim, { type: 'Warning', reason, message });
    writeStatus(store, keys.claims, claim, {
      ...claim.status,
      conditions: nextConditions(claim, [notReady(reason, message)]),
    });
    return undefined;
  }
}

const notReady = (reason: string, message: string): NewCondition => ({
  type: 'Ready',
  status: 'False',
  reason,
  message,
});

const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

/** Uid of the claim that a Sandbox belongs to. */
const claimOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.ownerReferences?.find(
    ({ kind, controller }) => kind === 'SandboxClaim' && controller === true,
  )?.uid;
