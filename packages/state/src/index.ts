export { NameTakenError, type SandboxRow, SandboxTable } from './sandbox-table.ts';
export { type KeyRow, KeyTable } from './key-table.ts';
export { openState, type State } from './state.ts';
export { type VolumeRow, VolumeTable } from './volume-table.ts';
