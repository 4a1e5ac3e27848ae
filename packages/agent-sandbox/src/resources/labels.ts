/** Labels and annotations by which clients and controllers know each other's objects. */
export const labels = {
  nameHash: 'agents.x-k8s.io/sandbox-name-hash',
  claimUid: 'agents.x-k8s.io/claim-uid',
  warmPool: 'agents.x-k8s.io/warm-pool-sandbox',
} as const;

export const annotations = {
  podName: 'agents.x-k8s.io/pod-name',
  templateRef: 'agents.x-k8s.io/sandbox-template-ref',
  traceContext: 'opentelemetry.io/trace-context',
  /** Made by somebody who may build templates: its image may come from a registry. */
  mayBuild: 'sandport.dev/may-build',
  /** The registry of the image is spoken to without TLS. */
  insecureRegistry: 'sandport.dev/insecure-registry',
} as const;

/** A Sandbox that has volumes is there until they are gone. */
export const volumesFinalizer = 'sandport.dev/volumes';

/** FNV-1a of 32 bits as eight hexadecimal digits: how names appear in labels and selectors. */
export function nameHash(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
