import type { ByteString } from '../ffi/byte-string.ts';
import { statEntry } from '../rooted-fs/attributes/entry.ts';
import type { RawStat } from '../rooted-fs/attributes/file-stat.ts';
import type { LayerLevel } from './layer-level.ts';
import { sameAttributes, sameContents, sameTarget } from './same-entry.ts';

/** One name in both layers. */
export interface Found {
  /** Undefined where the upper layer has none, or says that it is deleted. */
  readonly upper: RawStat | undefined;
  readonly lower: RawStat | undefined;
  readonly isDeleted: boolean;
}

export type ChangeKind = 'added' | 'modified' | 'deleted';

/** @throws SystemError */
export function look(level: LayerLevel, name: ByteString): Found {
  if (level.open === undefined) return { upper: undefined, lower: undefined, isDeleted: false };
  const upper = statEntry(level.open.upper, name);
  const lower = level.open.lower === undefined ? undefined : statEntry(level.open.lower, name);
  // Overlay's mark of what is deleted. A guest cannot make one: overlay refuses it.
  const isDeleted = upper?.type === 'character_device' && upper.deviceNumber === '0:0';
  return { upper: isDeleted ? undefined : upper, lower, isDeleted };
}

/** Undefined when it is no change. @throws SystemError, AbortError */
export async function compareEntry(
  level: LayerLevel,
  name: ByteString,
  { upper, lower, isDeleted }: Found,
  { idBase = 0, signal }: { readonly idBase?: number; readonly signal?: AbortSignal | undefined },
): Promise<ChangeKind | undefined> {
  if (upper === undefined) {
    const isGone = isDeleted || level.below === 'covered';
    return isGone && lower !== undefined ? 'deleted' : undefined;
  }
  if (lower === undefined) return 'added';
  if (upper.type !== lower.type) return 'modified';
  if (!sameAttributes(upper, lower, idBase)) return 'modified';
  if (level.open === undefined) return undefined;
  if (upper.type === 'symlink') {
    return sameTarget(level.open, name) === false ? 'modified' : undefined;
  }
  if (upper.type !== 'file') {
    return upper.deviceNumber === lower.deviceNumber ? undefined : 'modified';
  }
  if (upper.size !== lower.size) return 'modified';
  const isSame = await sameContents(level.open, name, Number(upper.size), signal);
  return isSame === false ? 'modified' : undefined;
}
