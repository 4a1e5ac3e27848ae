import type { Algorithms, Connection } from 'ssh2';
import { changeOffer } from '../library/protocol-inside.ts';

const fastCiphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'] as const;

/**
 * What is agreed on with clients: nothing that is known to be weak, and no compression, which a
 * client could let grow. Ciphers that Node has natively come first.
 */
export const algorithms: Algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
  ],
  serverHostKey: ['ssh-ed25519'],
  cipher: [...fastCiphers, 'aes128-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256'],
  compress: ['none'],
};

/** First version of OpenSSH that has all of the fast ciphers. */
const firstFast = { major: 6, minor: 2 };

/**
 * The order of the client decides, and OpenSSH puts slow ciphers before fast ones: it is offered the
 * fast ones alone. To be called before keys are agreed on.
 * @param software as the client calls itself, `OpenSSH_9.2p1`
 */
export function preferFastCiphers(connection: Connection, software: string): void {
  if (!hasFastCiphers(software)) return;
  changeOffer(connection, ({ cs, sc, ...offer }) => ({
    ...offer,
    cs: { ...cs, cipher: fastCiphers },
    sc: { ...sc, cipher: fastCiphers },
  }));
}

/** @param software as a client calls itself */
export function hasFastCiphers(software: string): boolean {
  const [, major, minor] = /^OpenSSH_(?:for_Windows_)?(\d{1,4})\.(\d{1,4})/.exec(software) ?? [];
  if (major === undefined) return false;
  const difference = Number(major) - firstFast.major || Number(minor) - firstFast.minor;
  return difference >= 0;
}
