import type { Connection } from 'ssh2';
import { fasterCipher, type PacketCipher } from './gcm-cipher.ts';

/** Why a channel is not opened, as the client's user is told. */
export interface Refusal {
  /** One of {@link OpenFailure}. */
  readonly code: number;
  readonly sentence: string;
}

/** Numbers of RFC 4254, 5.1. */
export const OpenFailure = { prohibited: 1, connectFailed: 2, noRoom: 4 } as const;

/** What the library offers at the beginning of an agreement on keys. */
interface OfferInside {
  readonly lists: {
    readonly kex: { readonly array: readonly string[] };
    readonly serverHostKey: { readonly array: readonly string[] };
    readonly cs: DirectionInside;
    readonly sc: DirectionInside;
  };
}

interface DirectionInside {
  readonly cipher: { readonly array: readonly string[] };
  readonly mac: { readonly array: readonly string[] };
  readonly compress: { readonly array: readonly string[] };
}

/** Parts of the library's protocol that its types leave out. */
interface ProtocolInside {
  readonly _offer: OfferInside;
  readonly _cipher: PacketCipher;
  /** There while keys are agreed on. */
  readonly _kexinit: Buffer | undefined;
  channelOpenFail: (channel: number, code: number, sentence?: string) => void;
}

/** Names of algorithms, the best first. */
export interface Offer {
  readonly kex: readonly string[];
  readonly serverHostKey: readonly string[];
  /** From the client to the server. */
  readonly cs: Direction;
  /** From the server to the client. */
  readonly sc: Direction;
}

interface Direction {
  readonly cipher: readonly string[];
  readonly mac: readonly string[];
  readonly compress: readonly string[];
  readonly lang: readonly string[];
}

/** The protocol of a connection. Its fields are those of the version in the lock file. */
function protocolOf(connection: Connection): ProtocolInside {
  const { _protocol: protocol } = connection as Connection & { _protocol: ProtocolInside };
  return protocol;
}

/** Offers something else than the library would, from the next agreement on. */
export function changeOffer(connection: Connection, change: (offer: Offer) => Offer): void {
  const protocol = protocolOf(connection);
  const { _offer: offer } = protocol;
  const { kex, serverHostKey, cs, sc } = offer.lists;
  const direction = ({ cipher, mac, compress }: DirectionInside): Direction => ({
    cipher: cipher.array,
    mac: mac.array,
    compress: compress.array,
    lang: [],
  });
  const OfferClass = offer.constructor as new (offer: Offer) => OfferInside;
  const changed = change({
    kex: kex.array,
    serverHostKey: serverHostKey.array,
    cs: direction(cs),
    sc: direction(sc),
  });
  Object.assign(protocol, { _offer: new OfferClass(changed) });
}

/** Encrypts what is sent faster than the library does, where that can be; after every agreement. */
export function hastenCipher(connection: Connection): void {
  const protocol = protocolOf(connection);
  const { _cipher: cipher } = protocol;
  Object.assign(protocol, { _cipher: fasterCipher(cipher) });
}

/** While keys are agreed on, what is sent waits in memory. */
export function isAgreeing(connection: Connection): boolean {
  const { _kexinit: begun } = protocolOf(connection);
  return begun !== undefined;
}

/** Refuses a channel with a reason, for which the library has no room. */
export function refuseWith(
  connection: Connection,
  refuse: () => void,
  { code, sentence }: Refusal,
): void {
  const protocol = protocolOf(connection);
  const { channelOpenFail } = protocol;
  protocol.channelOpenFail = (channel) => channelOpenFail.call(protocol, channel, code, sentence);
  try {
    refuse();
  } finally {
    protocol.channelOpenFail = channelOpenFail;
  }
}
