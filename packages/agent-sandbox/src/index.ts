export { agentSandboxCaller, type AgentSandboxCaller } from './caller.ts';
export { noPodNetwork, type PodNetwork } from './pods/pod-network.ts';
export type { LocatedSandbox, SandboxDirectory } from './sandboxes/sandbox-directory.ts';
