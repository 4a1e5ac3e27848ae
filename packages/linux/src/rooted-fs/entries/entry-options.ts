import type { GuestOwner } from '../attributes/id-mapping.ts';

/** How an entry is moved, copied or made. */
export interface TransferPathOptions {
  /** Replace what is at the target. @default false */
  readonly overwrite?: boolean;
  /** Owner of new parents, and of what cannot keep its own. @default root of the guest */
  readonly owner?: GuestOwner;
  readonly signal?: AbortSignal;
}

export interface TouchPathOptions {
  /** Time of the last change, nanoseconds since 1970. @default now */
  readonly mtimeNs?: bigint;
  /** Make an empty file, and parents, where nothing is. @default true */
  readonly create?: boolean;
  /** Owner of what is made. @default root of the guest */
  readonly owner?: GuestOwner;
}
