import { isIPv4 } from 'node:net';

/** Requests to the kernel over netlink, in the machine's byte order (both that are supported are little-endian). */

/** From include/uapi/linux/netlink.h. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLMSG_ERROR = 2;
/** Size of `struct nlmsghdr`. */
export const headerBytes = 16;

export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  /** The fixed part of this kind of message, then its attributes. */
  readonly body: readonly Buffer[];
}

/** A whole message, whose answers bear `sequence`. */
export function netlinkMessage({ type, flags, body }: NetlinkRequest, sequence: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  const size = body.reduce((sum, part) => sum + part.length, headerBytes);
  header.writeUInt32LE(size, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, ...body]);
}

/** One attribute, filled up to a multiple of four bytes. Those in `value` are nested. */
export function attribute(type: number, ...value: readonly Buffer[]): Buffer {
  const size = value.reduce((sum, part) => sum + part.length, 4);
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4);
  bytes.writeUInt16LE(size, 0);
  bytes.writeUInt16LE(type, 2);
  Buffer.concat(value).copy(bytes, 4);
  return bytes;
}

/** Text with the zero that ends it. */
export const textValue = (text: string): Buffer => Buffer.from(`${text}\0`);

export const u8Value = (value: number): Buffer => Buffer.from([value]);

export function u32Value(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** An IPv4 address, as it goes over a network. @throws Error when the text is none */
export function addressValue(address: string): Buffer {
  if (!isIPv4(address)) throw new Error(`"${address}" is no IPv4 address`);
  return Buffer.from(address.split('.').map(Number));
}
