import { randomInt } from 'node:crypto';
import { forgetConnections } from '@sandport/linux';

/** A sandbox's connections have marks that begin alike; the last bits count its policies. */
const policyBits = 8;
const policies = 2 ** policyBits;
const familyMask = ~(policies - 1);

/** The mark for the first policy of a sandbox that has no connections. */
export const newMark = (): number => randomInt(1, 2 ** (31 - policyBits)) * policies;

/** The mark for the next policy, in which connections of the one before are looked at anew. */
export function nextMark(mark: number): number {
  if ((mark + 1) % policies !== 0) return mark + 1;
  // None is used twice: a connection may have waited since.
  forgetMarked(mark);
  return newMark();
}

/** Has the kernel forget the connections under all policies of a sandbox. @throws SystemError */
export const forgetMarked = (mark: number): void =>
  forgetConnections(mark & familyMask, familyMask);
