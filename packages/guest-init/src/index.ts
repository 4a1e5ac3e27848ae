export { initBinaryPath, preloadLibraryPath } from './init-binary.ts';
export { InitChannel, type InitChannelOptions } from './init-channel.ts';
export { type InitCommandExit } from './command-end.ts';
export { InitError, type InitErrorKind } from './init-error.ts';
export type { KeptOwner, KeptStreamIndex } from './kept/kept-owner.ts';
export type { KeptProcess } from './kept/kept-process.ts';
export { KeptProcesses } from './kept/kept-processes.ts';
export type { PortStream } from './port-stream.ts';
export type { InitCommand } from './running-command.ts';
export type { InitCommandSpec, TerminalSize } from './start-payload.ts';
export {
  CONNECTIONS_MAX as connectionsMax,
  KEPT_MAX as keptCommandsMax,
  type StartStep,
} from './wire.ts';
