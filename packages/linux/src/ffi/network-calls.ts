import { check, checkUnless, declare } from './library.ts';

// Safe, all of them: buffers are ours, live during the call, and go with their true sizes;
// descriptors are ours. `unshare` and `setns` change the calling thread, which is the main one.
const unshareCall = declare('int unshare(int flags)');
const setnsCall = declare('int setns(int fd, int nstype)');
const socketCall = declare('int socket(int domain, int type, int protocol)');
const bindCall = declare('int bind(int fd, void *address, uint32_t size)');
const sendCall = declare('long send(int fd, void *buffer, size_t size, int flags)');
const recvCall = declare('long recv(int fd, void *buffer, size_t size, int flags)');

// Values from include/uapi/linux: sched.h, netlink.h; and socket.h of the kernel.
const CLONE_NEWNET = 0x40000000;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const MSG_DONTWAIT = 0x40;

/** Puts the main thread into a new network namespace. @throws SystemError */
export const unshareNetwork = (): number => check('unshare', () => unshareCall(CLONE_NEWNET));

/** Puts the main thread into the network namespace of a descriptor. @throws SystemError */
export const enterNetwork = (fd: number): number =>
  check('setns', () => setnsCall(fd, CLONE_NEWNET));

/** A netlink socket of the process's own address that never blocks; the caller closes it. */
export function openNetlink(protocol: number): number {
  const fd = check('socket', () =>
    socketCall(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol),
  );
  // struct sockaddr_nl: the kernel chooses the port.
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  check('bind', () => bindCall(fd, address, address.length));
  return fd;
}

export const sendNetlink = (fd: number, message: Buffer): number =>
  check('send', () => sendCall(fd, message, message.length, 0));

/** Bytes of the next message in the buffer; undefined when there is none. @throws SystemError ENOBUFS */
export const receiveNetlink = (fd: number, buffer: Buffer): number | undefined =>
  checkUnless('EAGAIN', 'recv', () => recvCall(fd, buffer, buffer.length, MSG_DONTWAIT));
