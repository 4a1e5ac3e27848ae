import type { KubeObject, Resource } from '@sandport/kube-api';
import { admitClaim, admitTemplate, admitWarmPool } from '../admission/admit-extensions.ts';
import { admitNamespace } from '../admission/admit-namespace.ts';
import { admitSandbox } from '../admission/admit-sandbox.ts';
import { converter } from '../conversion/convert.ts';
import { claimMaps, sandboxMaps, templateMaps, warmPoolMaps } from '../conversion/kinds.ts';
import { coreResource } from './core-resources.ts';
import { customResource } from './custom-resources.ts';
import { fixedNamespaces, namespaceObject, nodeObject } from './machine-objects.ts';
import { RouterObjects } from './router-objects.ts';

export interface ResourcesOptions {
  /** As `0.1.0`. */
  readonly release: string;
  /** Where the router can be reached; undefined without a pod network. */
  readonly gatewayAddress: () => string | undefined;
  /** Namespaces that have objects, sandboxes or volumes. */
  readonly namespaces: () => Iterable<string>;
}

/** All kinds of objects that the dialect serves. */
export function agentSandboxResources(options: ResourcesOptions): Resource[] {
  const router = new RouterObjects(() => options.gatewayAddress() ?? '127.0.0.1');
  const node = nodeObject(options.release);
  const namespaces = (): KubeObject[] =>
    [...new Set([...fixedNamespaces, ...options.namespaces()])].sort().map(namespaceObject);
  return [
    customResource('extensions.agents.x-k8s.io_sandboxclaims.json', {
      convert: converter(claimMaps),
      admit: admitClaim,
    }),
    customResource('extensions.agents.x-k8s.io_sandboxtemplates.json', {
      convert: converter(templateMaps),
      admit: admitTemplate,
    }),
    customResource('extensions.agents.x-k8s.io_sandboxwarmpools.json', {
      convert: converter(warmPoolMaps),
      admit: admitWarmPool,
    }),
    customResource('agents.x-k8s.io_sandboxes.json', {
      convert: converter(sandboxMaps),
      admit: admitSandbox,
    }),
    coreResource('namespace', { admit: admitNamespace, synthetic: namespaces }),
    coreResource('node', { synthetic: () => [node] }),
    coreResource('pod', { synthetic: router.pods }),
    coreResource('service', { synthetic: router.services }),
    coreResource('volumeClaim'),
    coreResource('event'),
    coreResource('endpointSlice', { synthetic: router.endpointSlices }),
    coreResource('gateway'),
  ];
}
