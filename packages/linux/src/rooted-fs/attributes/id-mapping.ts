import type { FileStat, RawStat } from './file-stat.ts';

/** User and group inside the sandbox. */
export interface GuestOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The kernel's id for an owner that has none in this user namespace. */
const UNMAPPED_ID = 65534;

/** The guest has no such id. */
export class IdRangeError extends RangeError {}

/** Guest ids 0..count-1 are host ids base..base+count-1. */
export class IdMapping {
  readonly #base: number;
  readonly #count: number;

  constructor(base: number, count: number) {
    const limit = 0xffffffff;
    if (!Number.isInteger(base) || !Number.isInteger(count))
      throw new RangeError('ids: not integers');
    if (base < 0 || count < 1 || base + count > limit) throw new RangeError('ids: out of range');
    this.#base = base;
    this.#count = count;
  }

  /** @throws IdRangeError when the guest has no such id */
  toHost(guestId: number): number {
    if (!Number.isInteger(guestId) || guestId < 0 || guestId >= this.#count) {
      throw new IdRangeError(`user or group ${guestId} is not one of the sandbox's`);
    }
    return this.#base + guestId;
  }

  toGuest(hostId: number): number {
    const guestId = hostId - this.#base;
    return guestId >= 0 && guestId < this.#count ? guestId : UNMAPPED_ID;
  }

  guestStat(raw: RawStat, symlinkTarget?: string): FileStat {
    const size = Number(raw.size);
    return {
      type: raw.type,
      size: Math.min(size, Number.MAX_SAFE_INTEGER),
      mode: raw.mode,
      uid: this.toGuest(raw.hostUid),
      gid: this.toGuest(raw.hostGid),
      mtimeNs: raw.mtimeNs,
      ctimeNs: raw.ctimeNs,
      ino: raw.ino,
      nlink: raw.nlink,
      ...(symlinkTarget === undefined ? {} : { symlinkTarget }),
    };
  }
}
