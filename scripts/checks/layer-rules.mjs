/**
 * The layers, from the kernel up: a package imports only from layers below its own, and from its
 * own layer only what `besides` names. `only` narrows a package to the ones named.
 */
export const layerRules = {
  '@sandport/protocol': { folder: 'packages/protocol', layer: 0 },
  '@sandport/linux': { folder: 'packages/linux', layer: 0 },
  '@sandport/guest-init': { folder: 'packages/guest-init', layer: 0 },
  '@sandport/driver': { folder: 'packages/driver', layer: 1 },
  '@sandport/driver-local': {
    folder: 'packages/driver-local',
    layer: 1,
    besides: ['@sandport/driver'],
  },
  '@sandport/driver-kubernetes': {
    folder: 'packages/driver-kubernetes',
    layer: 1,
    besides: ['@sandport/driver'],
  },
  '@sandport/state': { folder: 'packages/state', layer: 1 },
  '@sandport/engine': {
    folder: 'packages/engine',
    layer: 2,
    only: ['@sandport/protocol', '@sandport/driver', '@sandport/state'],
  },
  '@sandport/server': {
    folder: 'packages/server',
    layer: 3,
    only: ['@sandport/protocol', '@sandport/driver', '@sandport/engine'],
  },
  '@sandport/ssh': {
    folder: 'packages/ssh',
    layer: 3,
    only: ['@sandport/protocol', '@sandport/driver', '@sandport/engine'],
  },
  '@sandport/kube-api': { folder: 'packages/kube-api', layer: 2, only: [] },
  '@sandport/agent-sandbox': {
    folder: 'packages/agent-sandbox',
    layer: 3,
    besides: ['@sandport/server'],
  },
  '@sandport/daemon': { folder: 'packages/daemon', layer: 4 },
  sandport: { folder: 'sdks/typescript', layer: 5, only: ['@sandport/protocol'] },
  '@sandport/cli': { folder: 'apps/cli', layer: 6, only: ['sandport', '@sandport/daemon'] },
  '@sandport/console': { folder: 'apps/console', layer: 6, only: ['sandport'] },
  '@sandport/mcp': { folder: 'apps/mcp', layer: 6, only: ['sandport'] },
  '@sandport/tests': {
    folder: 'tests',
    layer: 7,
    only: ['sandport', '@sandport/protocol', '@pandastack/sdk'],
  },
  '@sandport/bench': { folder: 'bench', layer: 7, only: ['sandport'] },
};

/** Packages from npm that only the named package may import. */
export const reservedDependencies = {
  koffi: '@sandport/linux',
  libsql: '@sandport/state',
  hono: '@sandport/server',
};

/** Why `from` may not import `to`; undefined when it may. Both are names of workspace packages. */
export function importProblem(from, to) {
  const source = layerRules[from];
  const target = layerRules[to];
  if (source === undefined) return `${from} has no layer`;
  if (target === undefined) return `${to} has no layer`;
  if (source.only) {
    return source.only.includes(to) ? undefined : `it may import only ${source.only.join(', ')}`;
  }
  if (target.layer < source.layer) return undefined;
  if (source.besides?.includes(to)) return undefined;
  return `layer ${source.layer} may not import from layer ${target.layer}`;
}
