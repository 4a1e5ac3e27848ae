export { encodeHostKey, type HostKey, openHostKey } from './host-key.ts';
