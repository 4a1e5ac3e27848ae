export {
  type AgentSandbox,
  type AgentSandboxOptions,
  PodNetworkError,
  startAgentSandbox,
} from './agent-sandbox.ts';
export { agentSandboxCaller, type AgentSandboxCaller } from './caller.ts';
export {
  type Controllers,
  type ControllersOptions,
  startControllers,
} from './controllers/start-controllers.ts';
export { noPodNetwork, type PodNetwork } from './pods/pod-network.ts';
export { type DataPlane, type DataPlaneOptions, startDataPlane } from './data-plane.ts';
export type { LocatedSandbox, SandboxDirectory } from './sandboxes/sandbox-directory.ts';
export { agentSandboxResources, type ResourcesOptions } from './resources/resources.ts';
export { routerPath } from './router-mount.ts';
export { AuthorityFileError } from './tls/authority-files.ts';
