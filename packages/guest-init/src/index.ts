export { initBinaryPath, preloadLibraryPath } from './init-binary.ts';
export { InitChannel, type InitChannelOptions } from './init-channel.ts';
export { InitError, type InitErrorKind } from './init-error.ts';
export type { PortStream } from './port-stream.ts';
export type { InitCommand, InitCommandExit } from './running-command.ts';
export type { InitCommandSpec, TerminalSize } from './start-payload.ts';
export { CONNECTIONS_MAX as connectionsMax, type StartStep } from './wire.ts';
