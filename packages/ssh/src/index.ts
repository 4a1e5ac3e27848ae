export { type HostKey, HostKeyError, openHostKey } from './host-key.ts';
export { SshListener, type SshListenerOptions } from './ssh-listener.ts';
