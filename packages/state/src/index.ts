export { NameTakenError, type SandboxRow, SandboxTable } from './sandbox-table.ts';
export { type KeyRow, KeyTable } from './key-table.ts';
export { type LinkRow, LinkTable } from './link-table.ts';
export { openState, type State } from './state.ts';
export { type UploadRow, UploadTable } from './upload-table.ts';
export { type VolumeRow, VolumeTable } from './volume-table.ts';
