import type { Isolation } from '@sandport/protocol';

/** What processes that run as root inside a sandbox may do; never more. */
export const guestCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
];

/**
 * Capabilities that the runtime gives to the init. Under gVisor the init sets up its process limit
 * in a cgroup of the sentry first, for which it needs CAP_SYS_ADMIN of the sentry (never of the
 * host); it drops that before it runs anything. It keeps CAP_SYS_PTRACE, which its commands cannot
 * get, to see before a hibernation where processes stand that could not be restored.
 */
export const initCapabilities = (isolation: Isolation): readonly string[] =>
  isolation === 'gvisor'
    ? [...guestCapabilities, 'CAP_SYS_ADMIN', 'CAP_SYS_PTRACE']
    : guestCapabilities;
