import { checkUnless, declare } from './library.ts';

// Safe: numbers only, and the descriptor is ours.
const flockCall = declare('int flock(int fd, int operation)');

// Values from include/uapi/asm-generic/fcntl.h.
const LOCK_EX = 2;
const LOCK_NB = 4;

/** False while another open file has it. @throws SystemError ENOLCK */
export const tryLockExclusively = (fd: number): boolean =>
  checkUnless('EAGAIN', 'flock', () => flockCall(fd, LOCK_EX | LOCK_NB)) !== undefined;
