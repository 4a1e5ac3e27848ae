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
  LocalFileError,
  NetworkError,
  TimeoutError,
} from './errors/client-errors.ts';
export { SandportError, type SandportErrorInit } from './errors/sandport-error.ts';
export type { FileContent } from './filesystem/content.ts';
export type { FileInfo } from './filesystem/file-info.ts';
export {
  Filesystem,
  type RemoveOptions,
  type SignalOptions,
  type StatOptions,
} from './filesystem/filesystem.ts';
export type {
  OnProgress,
  TransferOptions,
  TransferProgress,
  WriteOptions,
} from './filesystem/progress.ts';
export type { WalkStep } from './filesystem/walk.ts';
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
  TemplateObject,
  VolumeObject,
  WriteResult,
} from '@sandport/protocol';
