export { Client, type ClientSource } from './client.ts';
export { CodeContext, type CodeContextOptions } from './code/code-context.ts';
export type { CodeExecution } from './code/code-execution.ts';
export type { CodeResult } from './code/code-result.ts';
export type { Code } from './code/code.ts';
export type { RunCodeOptions } from './code/run-code.ts';
export type {
  CommandEvent,
  ExitEvent,
  GapEvent,
  KeptCommandEvent,
  OutputEvent,
} from './commands/command-events.ts';
export type { CommandLine, CommandOptions } from './commands/command-options.ts';
export type { CommandEnd, CommandResult } from './commands/command-result.ts';
export { Commands } from './commands/commands.ts';
export { LiveCommand, type OpenOptions } from './commands/live/live-command.ts';
export type { OutputCallbacks } from './commands/output-callbacks.ts';
export type { RunOptions, StartOptions } from './commands/run-options.ts';
export {
  CommandHandle,
  type HandleOptions,
  type ReadOutputOptions,
} from './commands/kept/command-handle.ts';
export type { OutputOffsets } from './commands/kept/follow-output.ts';
export type {
  KeptOutput,
  ListCommandsOptions,
  OutputStream,
} from './commands/kept/kept-api.ts';
export { type CommandSignal, commandSignals } from './commands/signal.ts';
export { Pty, type PtyCreateOptions } from './commands/terminal/pty.ts';
export { PtyHandle, type PtyOptions } from './commands/terminal/pty-handle.ts';
export type { CommandInput } from './commands/stdin-chunks.ts';
export type { ClientOptions } from './config/client-options.ts';
export * from './errors/api-errors.ts';
export {
  CommandError,
  CommandLostError,
  ConfigurationError,
  InvalidArchiveError,
  LocalFileError,
  NetworkError,
  TimeoutError,
  UnsafeArchiveError,
  UploadLostError,
} from './errors/client-errors.ts';
export { SandportError, type SandportErrorInit } from './errors/sandport-error.ts';
export * from './filesystem/index.ts';
export type { Woke } from './http/woke.ts';
export * from './sync/sync-options.ts';
export * from './tree/tree-options.ts';
export type {
  ExposePortOptions,
  PreviewUrlOptions,
  SandboxPort,
  SignedPreview,
  SignPortOptions,
} from './ports/port-options.ts';
export type { Ports } from './ports/ports.ts';
export type { CreateKeyOptions, Keys } from './resources/keys.ts';
export type { CreateSshKeyOptions, SshKeys } from './resources/ssh-keys.ts';
export type { PoolOptions, Pools } from './resources/pools.ts';
export type {
  NamespaceNetworkOptions,
  NamespaceNetworks,
} from './resources/namespace-networks.ts';
export type { QuotaLimits, Quotas } from './resources/quotas.ts';
export type { SnapshotFilter, Snapshots } from './resources/snapshots.ts';
export type {
  BuildOptions,
  StartBuildOptions,
  TemplateSource,
} from './resources/template-options.ts';
export type { Templates } from './resources/templates.ts';
export {
  type CreateVolumeOptions,
  type NamespaceOptions,
  Volume,
  type Volumes,
} from './resources/volumes.ts';
export type {
  SandboxCreateOptions,
  SandboxResources,
  SandboxVolume,
} from './sandbox/create-options.ts';
export type { SandboxNetwork } from './sandbox/network-options.ts';
export type { EventsOptions, FollowEventsOptions } from './sandbox/events.ts';
export {
  type BranchOutcome,
  type Candidate,
  ExploreError,
  type ExploreOptions,
  type ExploreResult,
} from './sandbox/explore/candidate.ts';
export {
  type ForkOptions,
  ForkTree,
  type ForkTreeOptions,
  type PromoteOptions,
  type SnapshotOptions,
} from './sandbox/fork-options.ts';
export type { LifecycleOptions, UpdateOptions } from './sandbox/lifecycle-options.ts';
export type { MetricsOptions } from './sandbox/sandbox-state.ts';
export type { SandboxFilter } from './sandbox/list-sandboxes.ts';
export { type ExecOptions, type ExecStreamOptions, Sandbox } from './sandbox/sandbox.ts';
export type {
  CodeContextObject,
  CodeError,
  CodeLanguage,
  CommandObject,
  CommandStatus,
  CreatedKey,
  ErrorCode,
  EventType,
  FileType,
  IdleAction,
  Isolation,
  KeyObject,
  KubernetesObject,
  SshKeyObject,
  SshObject,
  Lifecycle,
  Metrics,
  MetricsSample,
  NamespaceNetwork,
  PoolObject,
  PromoteResult,
  QuotaObject,
  SandboxEvent,
  SandboxObject,
  SandboxStatus,
  SearchMatch,
  SnapshotObject,
  TemplateBuild,
  TemplateObject,
  VolumeObject,
  WokenSandboxObject,
} from '@sandport/protocol';
