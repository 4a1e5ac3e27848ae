import { arch, cpus, release, totalmem } from 'node:os';
import { type KubeObject, kubeTime } from '@sandport/kube-api';
import { nodeName, systemNamespace } from './keys.ts';

const startedAt = kubeTime();

/** Namespaces that are there without having been made. */
export const fixedNamespaces = ['default', systemNamespace] as const;

export const namespaceObject = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    uid: `namespace.${name}`,
    resourceVersion: '1',
    creationTimestamp: startedAt,
    labels: { 'kubernetes.io/metadata.name': name },
  },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
});

/** The machine as the one node. */
export function nodeObject(version: string): KubeObject {
  const capacity = {
    cpu: String(cpus().length),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
  };
  const ready = { type: 'Ready', status: 'True', reason: 'Ready', message: 'the daemon runs' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      uid: `node.${nodeName}`,
      resourceVersion: '1',
      creationTimestamp: startedAt,
      labels: { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux' },
    },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ ...ready, lastTransitionTime: startedAt, lastHeartbeatTime: startedAt }],
      addresses: [{ type: 'Hostname', address: nodeName }],
      nodeInfo: {
        kubeletVersion: version,
        kernelVersion: release(),
        osImage: 'Linux',
        operatingSystem: 'linux',
        architecture: arch() === 'x64' ? 'amd64' : arch(),
        containerRuntimeVersion: `sandport://${version}`,
      },
    },
  };
}
