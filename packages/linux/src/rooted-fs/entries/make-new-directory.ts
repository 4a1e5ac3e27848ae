import { closeSync } from 'node:fs';
import type { ByteString } from '../../ffi/byte-string.ts';
import { withFileOwner } from '../../ffi/credential-calls.ts';
import { mkdirat } from '../../ffi/file-calls.ts';
import { findPlace } from '../paths/entry-place.ts';
import type { RootDirectory } from '../paths/root-directory.ts';
import { type Creation, setMode } from './make-directory.ts';

/** Makes a directory where nothing is, and no parents. @throws SystemError (EEXIST), Refusal */
export function makeNewDirectory(root: RootDirectory, path: ByteString, creation: Creation): void {
  const { directory, name } = findPlace(root, path, undefined);
  const { hostUid, hostGid, mode } = creation;
  try {
    withFileOwner(hostUid, hostGid, () => mkdirat(directory, name, mode));
    setMode(directory, name, creation);
  } finally {
    closeSync(directory);
  }
}
