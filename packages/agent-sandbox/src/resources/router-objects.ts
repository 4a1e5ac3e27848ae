import { type KubeObject, kubeTime } from '@sandport/kube-api';
import { nodeName, systemNamespace } from './keys.ts';

export const routerPort = 8080;
export const routerService = 'sandbox-router-svc';
export const routerPod = 'sandbox-router';
const routerLabels = { app: 'sandbox-router' };

/** The router as clients look it up: it is the same one in every namespace. */
export class RouterObjects {
  readonly #startedAt = kubeTime();
  readonly #address: () => string;

  /** @param address called at each use */
  constructor(address: () => string) {
    this.#address = address;
  }

  /** @param namespace undefined: of all, where it is shown once */
  readonly services = (namespace = systemNamespace): KubeObject[] => [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.#metadata(namespace, routerService),
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        clusterIPs: ['None'],
        selector: routerLabels,
        ports: [{ name: 'http', protocol: 'TCP', port: routerPort, targetPort: routerPort }],
      },
      status: { loadBalancer: {} },
    },
  ];

  readonly pods = (namespace = systemNamespace): KubeObject[] => {
    const at = this.#startedAt;
    const isTrue = { status: 'True', lastProbeTime: null, lastTransitionTime: at };
    const ports = [{ name: 'http', containerPort: routerPort, protocol: 'TCP' }];
    return [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: this.#metadata(namespace, routerPod),
        spec: { nodeName, containers: [{ name: 'router', image: 'sandport', ports }] },
        status: {
          phase: 'Running',
          startTime: at,
          podIP: this.#address(),
          podIPs: [{ ip: this.#address() }],
          conditions: [
            { type: 'Ready', ...isTrue },
            { type: 'ContainersReady', ...isTrue },
          ],
          containerStatuses: [
            {
              name: 'router',
              image: 'sandport',
              imageID: 'sandport',
              ready: true,
              started: true,
              restartCount: 0,
              state: { running: { startedAt: at } },
            },
          ],
        },
      },
    ];
  };

  readonly endpointSlices = (namespace = systemNamespace): KubeObject[] => {
    const { labels, ...metadata } = this.#metadata(namespace, routerService);
    return [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          ...metadata,
          labels: { ...labels, 'kubernetes.io/service-name': routerService },
        },
        addressType: 'IPv4',
        ports: [{ name: 'http', protocol: 'TCP', port: routerPort }],
        endpoints: [
          {
            addresses: [this.#address()],
            conditions: { ready: true, serving: true, terminating: false },
            nodeName,
            targetRef: { kind: 'Pod', namespace, name: routerPod },
          },
        ],
      },
    ];
  };

  #metadata(namespace: string, name: string): KubeObject['metadata'] {
    return {
      name,
      namespace,
      uid: `${namespace}.${name}`,
      resourceVersion: '1',
      creationTimestamp: this.#startedAt,
      labels: routerLabels,
    };
  }
}
