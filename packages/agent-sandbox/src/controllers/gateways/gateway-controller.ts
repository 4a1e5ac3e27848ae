import {
  type KubeObject,
  type ObjectStore,
  resourceKey,
  type StoreChange,
} from '@sandport/kube-api';
import type { PodNetwork } from '../../pods/pod-network.ts';
import { keys } from '../../resources/keys.ts';
import { type NewCondition, nextConditions } from '../status/conditions.ts';
import { writeStatus } from '../status/write-status.ts';
import { keyOf, parseKey } from '../work/object-key.ts';
import type { WorkQueue } from '../work/work-queue.ts';

/** The gateway that clients of other systems ask for. */
const wellKnown = { namespace: 'default', name: 'external-http-gateway' };

export interface GatewayControllerOptions {
  readonly store: ObjectStore;
  readonly network: Pick<PodNetwork, 'gatewayAddress'>;
  readonly queue: WorkQueue;
}

/** Tells every Gateway the one address of the router. */
export class GatewayController {
  readonly #options: GatewayControllerOptions;

  constructor(options: GatewayControllerOptions) {
    this.#options = options;
  }

  /** Makes the gateway that clients expect. */
  start(): void {
    const { store } = this.#options;
    if (store.get(keys.gateways, wellKnown.namespace, wellKnown.name) === undefined)
      store.create(keys.gateways, {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: wellKnown,
        spec: {
          gatewayClassName: 'sandport',
          listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
        },
      });
  }

  onChange({ resource, object }: StoreChange): void {
    if (resourceKey(resource) === keys.gateways) this.#options.queue.add(keyOf(object));
  }

  reconcile(key: string): Promise<undefined> {
    const { store, network } = this.#options;
    const { namespace, name } = parseKey(key);
    const gateway = store.get(keys.gateways, namespace, name);
    if (gateway !== undefined)
      writeStatus(store, keys.gateways, gateway, gatewayStatus(gateway, network.gatewayAddress));
    return Promise.resolve(undefined);
  }
}

function gatewayStatus(
  gateway: KubeObject,
  address: string | undefined,
): Readonly<Record<string, unknown>> {
  const accepted: NewCondition = {
    type: 'Accepted',
    status: 'True',
    reason: 'Accepted',
    message: 'The router serves it',
  };
  const programmed: NewCondition =
    address === undefined
      ? {
          type: 'Programmed',
          status: 'False',
          reason: 'AddressNotAssigned',
          message: 'The daemon has no pod network, and so no address for gateways',
        }
      : {
          type: 'Programmed',
          status: 'True',
          reason: 'Programmed',
          message: 'The router listens at the address',
        };
  return {
    ...(address === undefined ? {} : { addresses: [{ type: 'IPAddress', value: address }] }),
    conditions: nextConditions(gateway, [accepted, programmed]),
  };
}
