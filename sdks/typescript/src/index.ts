export { Client, type ClientSource } from './client.ts';
export type { CommandEvent, ExitEvent, OutputEvent } from './commands/command-events.ts';
export type { CommandLine, CommandOptions } from './commands/command-options.ts';
export type { CommandEnd, CommandResult } from './commands/command-result.ts';
export { Commands, type OutputCallbacks, type RunOptions } from './commands/commands.ts';
export type { ClientOptions } from './config/client-options.ts';
export * from './errors/api-errors.ts';
export {
  CommandError,
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
export * from './sync/sync-options.ts';
export * from './tree/tree-options.ts';
export type { CreateKeyOptions, Keys } from './resources/keys.ts';
export type { BuildOptions, Templates } from './resources/templates.ts';
export type { NamespaceOptions, Volumes } from './resources/volumes.ts';
export type {
  SandboxCreateOptions,
  SandboxResources,
  SandboxVolume,
} from './sandbox/create-options.ts';
export type { SandboxFilter } from './sandbox/list-sandboxes.ts';
export { type ExecOptions, type ExecStreamOptions, Sandbox } from './sandbox/sandbox.ts';
export type {
  CreatedKey,
  ErrorCode,
  FileType,
  Isolation,
  KeyObject,
  SandboxObject,
  SandboxStatus,
  SearchMatch,
  TemplateObject,
  VolumeObject,
  WriteResult,
} from '@sandport/protocol';
