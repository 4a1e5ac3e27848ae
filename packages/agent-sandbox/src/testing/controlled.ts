import { Engine, type EngineOptions } from '@sandport/engine';
import {
  type Caller,
  createObjectStore,
  type KubeObject,
  type ObjectStore,
  type ResourceKey,
  resourceKey,
} from '@sandport/kube-api';
import { openState, type State } from '@sandport/state';
import { expect, vi } from 'vitest';
import { type Controllers, startControllers } from '../controllers/start-controllers.ts';
import { conditionOf } from '../controllers/status/conditions.ts';
import type { PodNetwork } from '../pods/pod-network.ts';
import { keys } from '../resources/keys.ts';
import { agentSandboxResources } from '../resources/resources.ts';
import { FakeDriver } from './fake-driver.ts';

/** Store, engine and controllers upon a driver that only pretends. */
export class Controlled implements AsyncDisposable {
  readonly driver: FakeDriver;
  readonly state: State;
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly attached = new Map<string, string>();
  #controllers: Controllers | undefined;
  readonly log = vi.fn();

  private constructor(driver: FakeDriver, state: State, options: Partial<EngineOptions>) {
    this.driver = driver;
    this.state = state;
    this.engine = new Engine({ driver, state, ...options });
    const resources = agentSandboxResources({
      release: '1',
      gatewayAddress: () => '127.66.0.1',
      namespaces: () => [],
    });
    this.store = createObjectStore({ resources, table: state.kubeObjects, log: this.log });
  }

  static async start(
    driver = new FakeDriver(),
    state = openState(':memory:'),
    options: Partial<EngineOptions> = {},
  ): Promise<Controlled> {
    const controlled = new Controlled(driver, state, options);
    await controlled.engine.recover();
    const { store, engine, log } = controlled;
    controlled.#controllers = startControllers({
      store,
      engine,
      network: controlled.#network(),
      log,
      startsAtOnce: 2,
    });
    return controlled;
  }

  get directory() {
    if (this.#controllers === undefined) throw new Error('not started');
    return this.#controllers.directory;
  }

  /** As the API does it for a caller. */
  create(resource: ResourceKey, object: KubeObject, caller: Caller = administrator): KubeObject {
    const admit = this.store.resources.find((each) => resourceKey(each) === resource)?.admit;
    const admitted = admit?.(object, { caller, before: undefined, operation: 'create' });
    return this.store.create(resource, admitted?.object ?? object);
  }

  /** The same for a change of the specification. */
  change(resource: ResourceKey, name: string, spec: Record<string, unknown>): KubeObject {
    const before = this.get(resource, name);
    const object = { ...before, spec: { ...before.spec, ...spec } };
    const admit = this.store.resources.find((each) => resourceKey(each) === resource)?.admit;
    const admitted = admit?.(object, { caller: administrator, before, operation: 'update' });
    return this.store.update(resource, admitted?.object ?? object);
  }

  get(resource: ResourceKey, name: string, namespace = 'default'): KubeObject {
    const object = this.store.get(resource, namespace, name);
    if (object === undefined) throw new Error(`no ${resource} ${name}`);
    return object;
  }

  claim(name: string, spec: Record<string, unknown> = {}, namespace = 'default'): KubeObject {
    return this.create(keys.claims, {
      apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
      kind: 'SandboxClaim',
      metadata: { name, namespace },
      spec: { warmPoolRef: { name: 'base' }, ...spec },
    });
  }

  sandbox(name: string, spec: Record<string, unknown> = {}): KubeObject {
    return this.create(keys.sandboxes, {
      apiVersion: 'agents.x-k8s.io/v1beta1',
      kind: 'Sandbox',
      metadata: { name, namespace: 'default' },
      spec: { podTemplate: { spec: { containers: [{ name: 'a', image: 'base' }] } }, ...spec },
    });
  }

  template(name: string, spec: Record<string, unknown> = {}, caller?: Caller): KubeObject {
    return this.create(
      keys.templates,
      {
        apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
        kind: 'SandboxTemplate',
        metadata: { name, namespace: 'default' },
        spec: { podTemplate: { spec: { containers: [{ name: 'a', image: 'base' }] } }, ...spec },
      },
      caller,
    );
  }

  /** Waits until the object is ready, or has this reason not to be. */
  async reason(
    resource: ResourceKey,
    name: string,
    reason = 'DependenciesReady',
    namespace = 'default',
  ) {
    await vi.waitFor(
      () => {
        const object = this.store.get(resource, namespace, name);
        expect(object && conditionOf(object, 'Ready')?.reason).toBe(reason);
      },
      { timeout: 4_000, interval: 5 },
    );
    return this.get(resource, name, namespace);
  }

  async gone(resource: ResourceKey, name: string): Promise<void> {
    await vi.waitFor(() => expect(this.store.get(resource, 'default', name)).toBeUndefined(), {
      timeout: 4_000,
      interval: 5,
    });
  }

  /** Names of the engine's sandboxes. */
  names(): string[] {
    return this.engine.sandboxes
      .list({ keyId: 'test' }, {})
      .sandboxes.map(({ name, id }) => name ?? id)
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controllers?.[Symbol.asyncDispose]();
    this.engine[Symbol.dispose]();
  }

  #network(): PodNetwork {
    let next = 2;
    return {
      gatewayAddress: '127.66.0.1',
      attach: ({ sandboxId }, preferred) => {
        const address = preferred ?? `127.66.0.${next++}`;
        this.attached.set(sandboxId, address);
        return Promise.resolve(address);
      },
      detach: ({ sandboxId }) => void this.attached.delete(sandboxId),
    };
  }
}

export const administrator: Caller = { name: 'admin', groups: [] };
export const tenant: Caller = { name: 'tenant', groups: [], namespaces: new Set(['default']) };
