import type { FileSystemSpace } from '@sandport/driver';
import { maxNameBytes } from '@sandport/protocol';
import { numbersPacket } from '../protocol/responses.ts';
import type { Operation } from './operation.ts';

/** ST_NOSUID of the extension: set-id programs have no effect for whoever mounts this. */
const noSetId = 2n;

/** The answer of statvfs@openssh.com. */
export const spaceNumbers = (space: FileSystemSpace): readonly bigint[] => [
  space.blockBytes,
  space.blockBytes,
  space.blocks,
  space.freeBlocks,
  space.availableBlocks,
  space.files,
  space.freeFiles,
  space.freeFiles,
  0n,
  noSetId,
  BigInt(maxNameBytes),
];

export const statvfs: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  return numbersPacket(id, spaceNumbers(await (await context.reading()).space(path)));
};
