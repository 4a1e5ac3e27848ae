/** The head of an IPv4 packet. Addresses are numbers. */
export interface LoggedPacket {
  readonly source: number;
  readonly destination: number;
  /** Number of the protocol: 1 ICMP, 6 TCP, 17 UDP. */
  readonly protocol: number;
  /** Of TCP and UDP. */
  readonly destinationPort?: number | undefined;
}

const NFULNL_MSG_PACKET = 4 << 8;
const NFULA_PAYLOAD = 9;
const messageHeadBytes = 16 + 4;

/** Reads the packets of netlink messages. What is not whole is left out: a guest wrote it. */
export function packetOf(messages: Buffer): LoggedPacket[] {
  const packets: LoggedPacket[] = [];
  for (let at = 0; at + messageHeadBytes <= messages.length; ) {
    const size = messages.readUInt32LE(at);
    if (size < messageHeadBytes || at + size > messages.length) break;
    if (messages.readUInt16LE(at + 4) === NFULNL_MSG_PACKET) {
      const payload = payloadOf(messages.subarray(at + messageHeadBytes, at + size));
      const packet = payload && ipv4Packet(payload);
      if (packet) packets.push(packet);
    }
    at += Math.ceil(size / 4) * 4;
  }
  return packets;
}

function payloadOf(attributes: Buffer): Buffer | undefined {
  for (let at = 0; at + 4 <= attributes.length; ) {
    const size = attributes.readUInt16LE(at);
    if (size < 4 || at + size > attributes.length) return undefined;
    if ((attributes.readUInt16LE(at + 2) & 0x3fff) === NFULA_PAYLOAD)
      return attributes.subarray(at + 4, at + size);
    at += Math.ceil(size / 4) * 4;
  }
  return undefined;
}

function ipv4Packet(bytes: Buffer): LoggedPacket | undefined {
  if (bytes.length < 20 || bytes.readUInt8(0) >> 4 !== 4) return undefined;
  const headBytes = (bytes.readUInt8(0) & 15) * 4;
  const protocol = bytes.readUInt8(9);
  const hasPort = (protocol === 6 || protocol === 17) && bytes.length >= headBytes + 4;
  return {
    source: bytes.readUInt32BE(12),
    destination: bytes.readUInt32BE(16),
    protocol,
    ...(hasPort ? { destinationPort: bytes.readUInt16BE(headBytes + 2) } : {}),
  };
}
