import type { ResourceKey } from '@sandport/kube-api';

/** Kinds of objects that the dialect serves, as the store names them. */
export const keys = {
  claims: 'sandboxclaims.extensions.agents.x-k8s.io',
  templates: 'sandboxtemplates.extensions.agents.x-k8s.io',
  warmPools: 'sandboxwarmpools.extensions.agents.x-k8s.io',
  sandboxes: 'sandboxes.agents.x-k8s.io',
  namespaces: 'namespaces',
  nodes: 'nodes',
  pods: 'pods',
  services: 'services',
  volumeClaims: 'persistentvolumeclaims',
  events: 'events',
  endpointSlices: 'endpointslices.discovery.k8s.io',
  gateways: 'gateways.gateway.networking.k8s.io',
} as const satisfies Record<string, ResourceKey>;

export const coreGroup = 'agents.x-k8s.io';
export const extensionsGroup = 'extensions.agents.x-k8s.io';

/** Name of the one node that there is. */
export const nodeName = 'sandport';

/** Namespace of the router, which everybody may read. */
export const systemNamespace = 'agent-sandbox-system';
