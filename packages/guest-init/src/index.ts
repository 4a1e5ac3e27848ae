export { initBinaryPath, preloadLibraryPath } from './init-binary.ts';
export { InitChannel, type InitChannelOptions } from './init-channel.ts';
export { InitError, type InitErrorKind } from './init-error.ts';
export type { InitCommand, InitCommandExit } from './running-command.ts';
export type { InitCommandSpec } from './start-payload.ts';
export type { StartStep } from './wire.ts';
