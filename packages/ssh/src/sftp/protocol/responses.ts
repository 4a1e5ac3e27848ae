import { Response, type StatusCode } from './constants.ts';

/** A packet with its length: the type, the request's id, then `parts`. */
function packet(type: number, id: number, parts: readonly Buffer[]): Buffer {
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.allocUnsafe(9);
  head.writeUInt32BE(5 + bodyBytes, 0);
  head.writeUInt8(type, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, ...parts]);
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

/** A string: its length, then its bytes. */
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
};

export const statusPacket = (id: number, code: StatusCode, message: string): Buffer =>
  packet(Response.status, id, [uint32(code), text(message), text('en')]);

export const handlePacket = (id: number, handle: Buffer): Buffer =>
  packet(Response.handle, id, [text(handle)]);

/** Bytes of a packet of data before the data. */
export const dataHeadBytes = 13;

/** Writes the head of a packet of data into `bytes`, where its data is already behind the head. */
export function dataPacket(bytes: Buffer, id: number, dataBytes: number): Buffer {
  bytes.writeUInt32BE(dataHeadBytes - 4 + dataBytes, 0);
  bytes.writeUInt8(Response.data, 4);
  bytes.writeUInt32BE(id, 5);
  bytes.writeUInt32BE(dataBytes, 9);
  return bytes.subarray(0, dataHeadBytes + dataBytes);
}

export const attributesPacket = (id: number, attributes: Buffer): Buffer =>
  packet(Response.attributes, id, [attributes]);

/** One name in an answer. */
export interface NameItem {
  readonly name: Buffer;
  /** As `ls -l` shows it. */
  readonly longName: Buffer;
  readonly attributes: Buffer;
}

export const nameItem = ({ name, longName, attributes }: NameItem): Buffer =>
  Buffer.concat([text(name), text(longName), attributes]);

/** @param items as {@link nameItem} makes them */
export const namePacket = (id: number, items: readonly Buffer[]): Buffer =>
  packet(Response.name, id, [uint32(items.length), ...items]);

export const numbersPacket = (id: number, numbers: readonly bigint[]): Buffer => {
  const bytes = Buffer.allocUnsafe(8 * numbers.length);
  numbers.forEach((value, index) => bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 8 * index));
  return packet(Response.extendedReply, id, [bytes]);
};

/** The answer to INIT. @param extensions name and version */
export const versionPacket = (extensions: Readonly<Record<string, string>>): Buffer =>
  packet(
    Response.version,
    3,
    Object.entries(extensions).flatMap(([name, version]) => [text(name), text(version)]),
  );
