import type { Engine, Principal } from '@sandport/engine';
import { type KubeObject, kubeTime, type ObjectStore } from '@sandport/kube-api';
import type { PodNetwork } from '../../pods/pod-network.ts';
import { keys } from '../../resources/keys.ts';
import { sandboxSpec } from '../../templates/blueprint.ts';
import { type SandboxPlan, sandboxPlan } from '../../templates/sandbox-plan.ts';
import { putObject, removeIfThere, writeStatus } from '../status/write-status.ts';
import {
  endpointSliceObject,
  podObject,
  serviceObject,
  volumeClaimObjects,
} from './derived-objects.ts';
import type { HeldSandbox, HeldSandboxes } from './held-sandboxes.ts';
import { readyStatus } from './sandbox-status.ts';

export interface PodsOptions {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly principal: Principal;
  readonly network: PodNetwork;
  readonly held: HeldSandboxes;
}

/** What clients see beside a Sandbox that runs: its pod, address, service and claims of volumes. */
export class Pods {
  readonly #options: PodsOptions;

  constructor(options: PodsOptions) {
    this.#options = options;
  }

  /** Gives the sandbox its address and shows it as ready, which is the last thing to happen. */
  async show(object: KubeObject, its: HeldSandbox, plan?: SandboxPlan): Promise<void> {
    const { store, network, held } = this.#options;
    if (its.address === undefined) {
      const address = await network.attach(its.located, addressBefore(object));
      held.setAddress(its, address);
      if (address !== undefined) await this.#tellAddress(object, its, address, plan);
    }
    const current = store.get(
      keys.sandboxes,
      object.metadata.namespace ?? '',
      object.metadata.name,
    );
    // While the address was made the object may have gone; whoever looks next sees to that.
    if (current === undefined || current.metadata.uid !== its.uid) return;
    this.#put(current, its);
    writeStatus(store, keys.sandboxes, current, readyStatus(current, its.address));
  }

  /** Shows it as dead. */
  fail(object: KubeObject, its: HeldSandbox, message: string): void {
    const { store, network, held } = this.#options;
    network.detach(its.located);
    held.setAddress(its, undefined);
    const pod = podObject(object, {
      phase: 'Failed',
      address: undefined,
      sandboxId: its.located.sandboxId,
      startedAt: object.metadata.creationTimestamp ?? kubeTime(),
      message,
    });
    its.podUid = putObject(store, keys.pods, pod).metadata.uid;
    this.#removeObject(object, keys.endpointSlices);
  }

  /** Takes away the pod and the address. */
  remove(its: HeldSandbox): void {
    const { store, network, held } = this.#options;
    const { namespace, name } = its.located;
    network.detach(its.located);
    held.setAddress(its, undefined);
    const pod = store.get(keys.pods, namespace, name);
    const { podUid } = its;
    its.podUid = undefined;
    if (pod !== undefined && pod.metadata.uid === podUid) removeIfThere(store, keys.pods, pod);
    const slice = store.get(keys.endpointSlices, namespace, name);
    if (slice !== undefined) removeIfThere(store, keys.endpointSlices, slice);
  }

  removeService(object: KubeObject): void {
    this.#removeObject(object, keys.services);
    this.#removeObject(object, keys.endpointSlices);
  }

  /** Whether somebody else has deleted the pod, which is to be made anew then. */
  wasDeleted(key: string, { metadata }: KubeObject): boolean {
    const its = this.#options.held.get(key);
    if (its === undefined || its.podUid !== metadata.uid) return false;
    its.podUid = undefined;
    its.restart = true;
    return true;
  }

  #put(object: KubeObject, its: HeldSandbox): void {
    const { store } = this.#options;
    const { namespace = '', name } = object.metadata;
    const before = store.get(keys.pods, namespace, name);
    const startedAt = before?.status?.['startTime'];
    const pod = podObject(object, {
      phase: 'Running',
      address: its.address,
      sandboxId: its.located.sandboxId,
      startedAt: typeof startedAt === 'string' ? startedAt : kubeTime(),
    });
    its.podUid = putObject(store, keys.pods, pod).metadata.uid;
    for (const claim of volumeClaimObjects(object)) putObject(store, keys.volumeClaims, claim);
    if (sandboxSpec(object).service === true) {
      putObject(store, keys.services, serviceObject(object));
      putObject(store, keys.endpointSlices, endpointSliceObject(object, its.address));
    } else this.removeService(object);
  }

  /** Variables that hold the address can be set only when it is known. */
  async #tellAddress(
    object: KubeObject,
    { located }: HeldSandbox,
    address: string,
    plan = sandboxPlan(object),
  ): Promise<void> {
    if (plan.addressVariables.length === 0) return;
    const { engine, principal } = this.#options;
    const { env } = engine.sandboxes.get(principal, located.sandboxId);
    const added = Object.fromEntries(plan.addressVariables.map((name) => [name, address]));
    await engine.sandboxes.change(principal, located.sandboxId, { env: { ...env, ...added } });
  }

  #removeObject({ metadata }: KubeObject, resource: string): void {
    const { store } = this.#options;
    const there = store.get(resource, metadata.namespace ?? '', metadata.name);
    const isIts = there?.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true;
    if (there !== undefined && isIts) removeIfThere(store, resource, there);
  }
}

function addressBefore({ status }: KubeObject): string | undefined {
  const addresses = status?.['podIPs'];
  const [first]: readonly unknown[] = Array.isArray(addresses) ? addresses : [];
  return typeof first === 'string' ? first : undefined;
}
