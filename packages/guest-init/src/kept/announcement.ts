import { KEY_BYTES, KeptFlag, OFFSET_MAX } from '../wire.ts';

/** What an init says of a command that it keeps. */
export interface KeptAnnouncement {
  readonly key: string;
  readonly pid: number;
  readonly ended: boolean;
  readonly hasStdin: boolean;
  readonly hasTerminal: boolean;
  /** Bytes of stdout and of stderr that a daemon has acknowledged. */
  readonly acknowledged: readonly [number, number];
  /** Bytes of stdin that came to it. */
  readonly taken: number;
  /** Bytes of stdin that may be sent on this connection. */
  readonly credit: number;
}

const ANNOUNCEMENT_BYTES = 49;

/** @param payload of KEPT. @returns undefined when it makes no sense */
export function decodeAnnouncement(payload: Buffer): KeptAnnouncement | undefined {
  if (payload.length !== ANNOUNCEMENT_BYTES) return undefined;
  const offset = (at: number) => Number(payload.readBigUInt64LE(at));
  const flags = payload.readUInt8(20);
  const acknowledged = [offset(21), offset(29)] as const;
  const taken = offset(37);
  if (Math.max(...acknowledged, taken) > OFFSET_MAX) return undefined;
  return {
    key: payload.toString('hex', 0, KEY_BYTES),
    pid: payload.readUInt32LE(16),
    ended: (flags & KeptFlag.ended) !== 0,
    hasStdin: (flags & KeptFlag.stdin) !== 0,
    hasTerminal: (flags & KeptFlag.terminal) !== 0,
    acknowledged,
    taken,
    credit: payload.readUInt32LE(45),
  };
}
