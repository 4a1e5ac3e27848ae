export { agentSandboxCaller, type AgentSandboxCaller } from './caller.ts';
