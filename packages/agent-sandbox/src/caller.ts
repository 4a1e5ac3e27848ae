import type { Principal } from '@sandport/engine';
import type { Caller } from '@sandport/kube-api';

/** A caller of the Kubernetes API, with the key that it came with. */
export interface AgentSandboxCaller extends Caller {
  readonly principal: Principal;
}

/** The caller that stands for a key. */
export const agentSandboxCaller = (principal: Principal): AgentSandboxCaller => ({
  name: `key:${principal.keyId}`,
  groups: [
    'system:authenticated',
    ...(principal.namespaces === undefined ? ['system:masters'] : []),
  ],
  namespaces: principal.namespaces,
  principal,
});
