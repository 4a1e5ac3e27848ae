import type { Engine, Principal } from '@sandport/engine';
import type { ObjectStore, StoreChange } from '@sandport/kube-api';
import type { PodNetwork } from '../pods/pod-network.ts';
import { keys } from '../resources/keys.ts';
import type { SandboxDirectory } from '../sandboxes/sandbox-directory.ts';
import { ClaimController } from './claims/claim-controller.ts';
import { EventRecorder } from './events/event-recorder.ts';
import { GatewayController } from './gateways/gateway-controller.ts';
import { ImageTemplates } from './images/image-templates.ts';
import { NamespaceController } from './namespaces/namespace-controller.ts';
import { adoptSandboxes } from './sandboxes/adopt-sandboxes.ts';
import { HeldSandboxes } from './sandboxes/held-sandboxes.ts';
import { SandboxController } from './sandboxes/sandbox-controller.ts';
import { SandboxStarter } from './sandboxes/sandbox-starter.ts';
import { StartSlots } from './sandboxes/start-slots.ts';
import { WarmPoolController } from './warm-pools/warm-pool-controller.ts';
import { keyOf } from './work/object-key.ts';
import { WorkQueue } from './work/work-queue.ts';

export interface ControllersOptions {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly network: PodNetwork;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  /** Sandboxes that are made at one time, beside those that were made ahead. @default 6 */
  readonly startsAtOnce?: number;
}

export interface Controllers extends AsyncDisposable {
  readonly directory: SandboxDirectory;
}

/**
 * Begins to bring sandboxes to what the objects of the store say, and takes over those that an
 * earlier daemon made for them. Sandboxes keep running when it is disposed of.
 */
export function startControllers(options: ControllersOptions): Controllers {
  const { store, engine, network, log } = options;
  const principal: Principal = { keyId: 'agent-sandbox' };
  const events = new EventRecorder(store);
  const images = new ImageTemplates(engine, principal);
  const held = new HeldSandboxes(engine);
  const slots = new StartSlots(engine.pools, options.startsAtOnce ?? 6);
  const starter = new SandboxStarter({ store, engine, principal, images, slots });
  const queue = (name: string, reconcile: (key: string) => Promise<number | undefined>) =>
    new WorkQueue({ name, reconcile, log });

  const claimQueue = queue('SandboxClaim', (key) => claims.reconcile(key));
  const sandboxQueue = queue('Sandbox', (key) => sandboxes.reconcile(key));
  const poolQueue = queue('SandboxWarmPool', (key) => warmPools.reconcile(key));
  const gatewayQueue = queue('Gateway', (key) => gateways.reconcile(key));
  const claims = new ClaimController({ store, images, events, queue: claimQueue });
  const sandboxes = new SandboxController({
    store,
    engine,
    principal,
    network,
    held,
    starter,
    events,
    queue: sandboxQueue,
  });
  const warmPools = new WarmPoolController({ store, engine, images, events, queue: poolQueue });
  const gateways = new GatewayController({ store, network, queue: gatewayQueue });
  const namespaces = new NamespaceController(store);

  const controllers = [claims, sandboxes, warmPools, gateways, namespaces];
  const subscription = store.subscribe((change: StoreChange) => {
    for (const controller of controllers) controller.onChange(change);
  });
  adoptSandboxes({ store, engine, principal, held, log });
  gateways.start();
  for (const [kind, its] of [
    [keys.claims, claimQueue],
    [keys.sandboxes, sandboxQueue],
    [keys.warmPools, poolQueue],
    [keys.gateways, gatewayQueue],
  ] as const)
    for (const object of store.list(kind)) its.add(keyOf(object));

  const abort = new AbortController();
  const following = followEngine(engine, principal, abort.signal, (id, type) =>
    sandboxes.onEngineEvent(id, type),
  ).catch((error: unknown) => log('events of sandboxes not followed', { error: String(error) }));
  return {
    directory: held,
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      subscription[Symbol.dispose]();
      sandboxes.close();
      warmPools[Symbol.dispose]();
      await Promise.all(
        [claimQueue, sandboxQueue, poolQueue, gatewayQueue].map((each) =>
          each[Symbol.asyncDispose](),
        ),
      );
      await following;
    },
  };
}

async function followEngine(
  engine: Engine,
  principal: Principal,
  signal: AbortSignal,
  onEvent: (sandboxId: string, type: string) => void,
): Promise<void> {
  const events = engine.events.follow(principal, undefined, { tail: 0, signal });
  for await (const { sandbox_id: id, type } of events) onEvent(id, type);
}
