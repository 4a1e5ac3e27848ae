import type { Engine } from '@sandport/engine';
import {
  type KubeObject,
  type ObjectStore,
  resourceKey,
  type StoreChange,
} from '@sandport/kube-api';
import { namespaceSchema } from '@sandport/protocol';
import { keys } from '../../resources/keys.ts';
import { annotations, labels, nameHash } from '../../resources/labels.ts';
import { warmPoolSpec } from '../../templates/blueprint.ts';
import {
  isOfAdministrator,
  isOpen,
  networkOfTemplate,
} from '../../templates/network/template-network.ts';
import { poolPlan } from '../../templates/sandbox-plan.ts';
import { sourceOfTemplate } from '../claims/blueprint-source.ts';
import type { EventRecorder } from '../events/event-recorder.ts';
import type { ImageTemplates } from '../images/image-templates.ts';
import { writeStatus } from '../status/write-status.ts';
import { keyOf, parseKey } from '../work/object-key.ts';
import type { WorkQueue } from '../work/work-queue.ts';

export interface WarmPoolControllerOptions {
  readonly store: ObjectStore;
  readonly engine: Pick<Engine, 'pools'>;
  readonly images: ImageTemplates;
  readonly events: EventRecorder;
  readonly queue: WorkQueue;
}

/** How long changes of members are collected before they are told, in milliseconds. */
const tellAfterMs = 100;
/** When a pool that is not as wished for is looked at again, in milliseconds. */
const lookAgainAfterMs = 30_000;

/** Has the engine keep sandboxes ready for every SandboxWarmPool. */
export class WarmPoolController implements Disposable {
  readonly #options: WarmPoolControllerOptions;
  readonly #subscription: Disposable;
  /** What was reserved for a pool; pools are told of by their keys. */
  readonly #reserved = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WarmPoolControllerOptions) {
    this.#options = options;
    this.#subscription = options.engine.pools.subscribe(() => {
      this.#timer ??= setTimeout(() => this.#tell(), tellAfterMs).unref();
    });
  }

  /** To be called with every change of the store. */
  onChange({ resource, object }: StoreChange): void {
    const { store, queue } = this.#options;
    const kind = resourceKey(resource);
    if (kind === keys.warmPools) queue.add(keyOf(object));
    if (kind === keys.templates)
      for (const pool of store.list(keys.warmPools, object.metadata.namespace))
        if (warmPoolSpec(pool).sandboxTemplateRef?.name === object.metadata.name)
          queue.add(keyOf(pool));
  }

  async reconcile(key: string): Promise<number | undefined> {
    const { store, engine } = this.#options;
    const { namespace, name } = parseKey(key);
    const pool = store.get(keys.warmPools, namespace, name);
    if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) {
      engine.pools.release(key);
      this.#reserved.delete(key);
      return undefined;
    }
    const problem = await this.#reserve(key, pool);
    if (problem !== undefined) {
      engine.pools.release(key);
      this.#warn(pool, problem);
    }
    this.#write(key, pool);
    const reserved = engine.pools.reserved(key);
    const wished = warmPoolSpec(pool).replicas ?? 1;
    return problem === undefined && reserved?.size === wished ? undefined : lookAgainAfterMs;
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    clearTimeout(this.#timer);
  }

  /** A sentence when it cannot be. */
  async #reserve(key: string, pool: KubeObject): Promise<string | undefined> {
    const { engine, images, queue } = this.#options;
    const { namespace = '' } = pool.metadata;
    const { replicas = 1, sandboxTemplateRef } = warmPoolSpec(pool);
    const template = sandboxTemplateRef?.name ?? '';
    const source = await sourceOfTemplate(template, namespace, this.#options);
    if (source === undefined) return `SandboxTemplate "${template}" not found`;
    const { image: reference, isolation, resources } = poolPlan(source.spec);
    const mayBuild = isOfAdministrator(source.annotations);
    const image = await images.resolve(reference, {
      mayBuild,
      insecure: source.annotations[annotations.insecureRegistry] === 'true',
    });
    if (image.kind === 'building') void image.ended.then(() => queue.add(key));
    if (image.kind !== 'ready') return image.message;
    try {
      await engine.pools.reserve(key, {
        template: image.template,
        isolation,
        diskMb: resources.disk_mb,
        networked: isOpen(networkOfTemplate(source.spec, mayBuild)),
        size: replicas,
        namespace: namespaceSchema.parse(namespace),
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    this.#reserved.set(key, '');
    return undefined;
  }

  #tell(): void {
    const { store } = this.#options;
    this.#timer = undefined;
    for (const key of this.#reserved.keys()) {
      const { namespace, name } = parseKey(key);
      const pool = store.get(keys.warmPools, namespace, name);
      if (pool !== undefined) this.#write(key, pool);
    }
  }

  #write(key: string, pool: KubeObject): void {
    const { store, engine } = this.#options;
    const { name, generation } = pool.metadata;
    const { size = 0, ready = 0, error } = engine.pools.reserved(key) ?? {};
    if (error !== undefined && this.#reserved.has(key) && this.#reserved.get(key) !== error) {
      this.#reserved.set(key, error);
      this.#warn(pool, error);
    }
    writeStatus(store, keys.warmPools, pool, {
      replicas: size,
      readyReplicas: ready,
      selector: `${labels.warmPool}=${nameHash(name)}`,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    });
  }

  #warn(pool: KubeObject, message: string): void {
    this.#options.events.record(pool, { type: 'Warning', reason: 'FailedCreate', message });
  }
}
