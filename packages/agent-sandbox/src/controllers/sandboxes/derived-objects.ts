import { type KubeObject, kubeTime, type ObjectMeta } from '@sandport/kube-api';
import { labels, nameHash } from '../../resources/labels.ts';
import { nodeName } from '../../resources/keys.ts';
import { runtimePorts } from '../../runtimes/runtime.ts';
import { sandboxSpec } from '../../templates/blueprint.ts';
import { sandboxPlan } from '../../templates/sandbox-plan.ts';
import { volumeClaimName } from '../../templates/volume-claims.ts';

const ports = Object.entries(runtimePorts).map(([name, port]) => ({
  name,
  port,
  protocol: 'TCP',
}));

/** What the pod of a sandbox is like. */
export interface PodState {
  readonly phase: 'Running' | 'Failed';
  readonly address: string | undefined;
  readonly sandboxId: string;
  readonly startedAt: string;
  /** Why it failed. */
  readonly message?: string;
}

export const selectorOf = (sandbox: string): string => `${labels.nameHash}=${nameHash(sandbox)}`;

/** Labels under these prefixes are the controllers'. */
const reserved = /^(extensions\.)?agents\.x-k8s\.io\//;

/** Metadata of an object that goes with the Sandbox. */
function ownedBy({ apiVersion, kind, metadata }: KubeObject, name: string): ObjectMeta {
  const { namespace = '', name: owner, uid = '' } = metadata;
  return {
    name,
    namespace,
    labels: { [labels.nameHash]: nameHash(owner) },
    ownerReferences: [
      { apiVersion, kind, name: owner, uid, controller: true, blockOwnerDeletion: true },
    ],
  };
}

/** The running side of a Sandbox. */
export function podObject(sandbox: KubeObject, state: PodState): KubeObject {
  const { podTemplate = {} } = sandboxSpec(sandbox);
  const { name } = sandbox.metadata;
  const metadata = ownedBy(sandbox, name);
  const [first = { name: 'sandbox' }] = podTemplate.spec?.containers ?? [];
  const { image } = sandboxPlan(sandbox);
  const claimUid = sandbox.metadata.labels?.[labels.claimUid];
  const isRunning = state.phase === 'Running';
  const ready = {
    status: isRunning ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: isRunning ? state.startedAt : kubeTime(),
    ...(isRunning ? {} : { reason: 'PodFailed', message: state.message ?? '' }),
  };
  const ended = {
    exitCode: 255,
    reason: 'Error',
    message: state.message ?? '',
    startedAt: state.startedAt,
    finishedAt: kubeTime(),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      labels: {
        ...Object.fromEntries(
          Object.entries(podTemplate.metadata?.labels ?? {}).filter(([key]) => !reserved.test(key)),
        ),
        ...metadata.labels,
        ...(claimUid === undefined ? {} : { [labels.claimUid]: claimUid }),
      },
      annotations: { ...podTemplate.metadata?.annotations },
    },
    spec: { ...podTemplate.spec, containers: [{ ...first, image }], nodeName },
    status: {
      phase: state.phase,
      startTime: state.startedAt,
      ...(state.address === undefined || !isRunning
        ? {}
        : { podIP: state.address, podIPs: [{ ip: state.address }] }),
      conditions: [
        { type: 'PodScheduled', ...ready, status: 'True' },
        { type: 'Initialized', ...ready, status: 'True' },
        { type: 'ContainersReady', ...ready },
        { type: 'Ready', ...ready },
      ],
      containerStatuses: [
        {
          name: first.name,
          image,
          imageID: image,
          containerID: `sandport://${state.sandboxId}`,
          ready: isRunning,
          started: isRunning,
          restartCount: 0,
          state: isRunning ? { running: { startedAt: state.startedAt } } : { terminated: ended },
        },
      ],
    },
  };
}

/** The service of a Sandbox that asks for one. */
export const serviceObject = (sandbox: KubeObject): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: ownedBy(sandbox, sandbox.metadata.name),
  spec: {
    type: 'ClusterIP',
    clusterIP: 'None',
    clusterIPs: ['None'],
    selector: { [labels.nameHash]: nameHash(sandbox.metadata.name) },
    ports: ports.map((each) => ({ ...each, targetPort: each.port })),
  },
  status: { loadBalancer: {} },
});

export function endpointSliceObject(sandbox: KubeObject, address: string | undefined): KubeObject {
  const { name, namespace } = sandbox.metadata;
  const metadata = ownedBy(sandbox, name);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports,
    endpoints:
      address === undefined
        ? []
        : [
            {
              addresses: [address],
              conditions: { ready: true, serving: true, terminating: false },
              nodeName,
              targetRef: { kind: 'Pod', namespace, name },
            },
          ],
  };
}

/** The claims of volumes that the Sandbox has. */
export const volumeClaimObjects = (sandbox: KubeObject): KubeObject[] =>
  (sandboxSpec(sandbox).volumeClaimTemplates ?? []).map((template) => {
    const name = volumeClaimName(template, sandbox.metadata.name);
    const { metadata, spec = {} } = template;
    const owned = ownedBy(sandbox, name);
    const accessModes = spec.accessModes ?? ['ReadWriteOnce'];
    const storage = spec.resources?.requests?.['storage'];
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...owned,
        labels: { ...metadata?.labels, ...owned.labels },
        ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      },
      spec: { ...spec, accessModes, volumeName: name },
      status: {
        phase: 'Bound',
        accessModes,
        ...(storage === undefined ? {} : { capacity: { storage } }),
      },
    };
  });
