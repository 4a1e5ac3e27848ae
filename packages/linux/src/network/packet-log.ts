import { closeSync } from 'node:fs';
import { openNetlink, receiveNetlink, sendNetlink } from '../ffi/network-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { type LoggedPacket, packetOf } from './logged-packet.ts';

// Values from include/uapi/linux: netlink.h, netfilter/nfnetlink.h, netfilter/nfnetlink_log.h.
const NETLINK_NETFILTER = 12;
const NLM_F_REQUEST_ACK = 0x1 | 0x4;
const NLMSG_ERROR = 2;
const NFULNL_MSG_CONFIG = (4 << 8) | 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_PACKET = 2;

/** Enough for the headers that are looked at. */
const copiedBytes = 64;
/** Most messages of one look; the others wait for the next. */
const mostMessages = 256;

/**
 * Packets that rules of nftables hand out with `log group N`. The kernel keeps some hundred of them;
 * when they are not fetched in time, later ones are lost.
 */
export class PacketLog implements Disposable {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #sequence = 0;

  /** @param group 1 to 65535, of one reader on the machine @throws Error when another has it */
  constructor(group: number) {
    this.#fd = openNetlink(NETLINK_NETFILTER);
    try {
      this.#configure(group, NFULA_CFG_CMD, Buffer.from([NFULNL_CFG_CMD_BIND]));
      const mode = Buffer.alloc(6);
      mode.writeUInt32BE(copiedBytes, 0);
      mode.writeUInt8(NFULNL_COPY_PACKET, 4);
      this.#configure(group, NFULA_CFG_MODE, mode);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Packets that have come since the last call, oldest first; never waits. */
  read(): LoggedPacket[] {
    const packets: LoggedPacket[] = [];
    for (let count = 0; count < mostMessages; count++) {
      const size = this.#receive();
      if (size === undefined) break;
      packets.push(...packetOf(this.#buffer.subarray(0, size)));
    }
    return packets;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #receive(): number | undefined {
    try {
      return receiveNetlink(this.#fd, this.#buffer);
    } catch (error) {
      // Some were lost; what is said next is whole.
      if (errnoOf(error) === 'ENOBUFS') return 0;
      throw error;
    }
  }

  #configure(group: number, attribute: number, value: Buffer): void {
    const size = 16 + 4 + 4 + Math.ceil(value.length / 4) * 4;
    const message = Buffer.alloc(size);
    message.writeUInt32LE(size, 0);
    message.writeUInt16LE(NFULNL_MSG_CONFIG, 4);
    message.writeUInt16LE(NLM_F_REQUEST_ACK, 6);
    message.writeUInt32LE(++this.#sequence, 8);
    message.writeUInt16BE(group, 18);
    message.writeUInt16LE(4 + value.length, 20);
    message.writeUInt16LE(attribute, 22);
    value.copy(message, 24);
    sendNetlink(this.#fd, message);
    this.#expectAcknowledgement();
  }

  /** The kernel answers before the send returns. */
  #expectAcknowledgement(): void {
    for (;;) {
      const size = this.#receive();
      if (size === undefined) throw new Error('the kernel did not answer');
      if (size < 20 || this.#buffer.readUInt16LE(4) !== NLMSG_ERROR) continue;
      const code = this.#buffer.readInt32LE(16);
      if (code === 0) return;
      throw new Error(`the kernel refused a log of packets (errno ${-code})`);
    }
  }
}
