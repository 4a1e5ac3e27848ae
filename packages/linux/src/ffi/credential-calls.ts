import { check, declare } from './library.ts';
import { SystemError } from './system-error.ts';

// Safe: integers only; both change the calling thread alone and return the id that was, of 32 bits.
const setfsuid = declare('uint32_t setfsuid(uint32_t uid)');
const setfsgid = declare('uint32_t setfsgid(uint32_t gid)');
// Safe: the header and the two data records have the size of capability version 3.
const capget = declare('int capget(void *header, void *data)');
const capset = declare('int capset(void *header, void *data)');

const NO_CHANGE = 0xffffffff;
const header = Buffer.alloc(8);
header.writeUInt32LE(0x20080522, 0); // _LINUX_CAPABILITY_VERSION_3; pid 0: the calling thread.

let ownCapabilities: Buffer | undefined;

function capabilitiesOfThisThread(): Buffer {
  if (ownCapabilities === undefined) {
    const data = Buffer.alloc(24);
    check('capget', () => capget(header, data));
    ownCapabilities = data;
  }
  return ownCapabilities;
}

/**
 * Runs `create` so that what it makes belongs to these host ids, with this thread's capabilities
 * kept. `create` must be synchronous: the ids are restored before this returns.
 * @throws SystemError EPERM when the process may not take these ids
 */
export function withFileOwner<Result>(uid: number, gid: number, create: () => Result): Result {
  const previousUid = setfsuid(NO_CHANGE);
  const previousGid = setfsgid(NO_CHANGE);
  if (previousUid === uid && previousGid === gid) return create();
  const capabilities = capabilitiesOfThisThread();
  setfsgid(gid);
  setfsuid(uid);
  try {
    // Leaving uid 0 dropped the file capabilities from the effective set; take them back.
    check('capset', () => capset(header, capabilities));
    if (setfsuid(NO_CHANGE) !== uid || setfsgid(NO_CHANGE) !== gid) {
      throw new SystemError('EPERM', 'setfsuid');
    }
    return create();
  } finally {
    setfsuid(previousUid);
    setfsgid(previousGid);
    check('capset', () => capset(header, capabilities));
  }
}
