/** Types of control frames. */
export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Flag of a frame after which its sender sends nothing more on the stream. */
export const finFlag = 0x01;

/** Status codes of RST_STREAM. */
export const resetCodes = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
} as const;

export const frameHeadBytes = 8;
const version = 3;

/** The eight bytes before the payload of a DATA frame. */
export function dataHead(streamId: number, payloadBytes: number, fin: boolean): Buffer {
  const head = Buffer.allocUnsafe(frameHeadBytes);
  head.writeUInt32BE(streamId);
  head.writeUInt32BE(payloadBytes, 4);
  head.writeUInt8(fin ? finFlag : 0, 4);
  return head;
}

function controlFrame(type: number, payload: Buffer): Buffer {
  const head = Buffer.allocUnsafe(frameHeadBytes);
  head.writeUInt16BE(0x8000 | version);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

const words = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};

export const synReplyFrame = (streamId: number, headerBlock: Buffer): Buffer =>
  controlFrame(frameTypes.synReply, Buffer.concat([words(streamId), headerBlock]));

export const rstStreamFrame = (streamId: number, code: number): Buffer =>
  controlFrame(frameTypes.rstStream, words(streamId, code));

export const pingFrame = (id: number): Buffer => controlFrame(frameTypes.ping, words(id));

export const goAwayFrame = (lastStreamId: number, code: number): Buffer =>
  controlFrame(frameTypes.goAway, words(lastStreamId, code));
