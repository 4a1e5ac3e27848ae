import { errnoOf } from '../ffi/system-error.ts';
import { type LoggedPacket, packetOf } from './logged-packet.ts';
import { attribute } from './netlink-message.ts';
import { NetlinkSocket } from './netlink-socket.ts';

// Values from include/uapi/linux: netlink.h, netfilter/nfnetlink.h, netfilter/nfnetlink_log.h.
const NETLINK_NETFILTER = 12;
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
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER);

  /** @param group 1 to 65535, of one reader on the machine @throws Error when another has it */
  constructor(group: number) {
    try {
      this.#configure(group, attribute(NFULA_CFG_CMD, Buffer.from([NFULNL_CFG_CMD_BIND])));
      const mode = Buffer.alloc(6);
      mode.writeUInt32BE(copiedBytes, 0);
      mode.writeUInt8(NFULNL_COPY_PACKET, 4);
      this.#configure(group, attribute(NFULA_CFG_MODE, mode));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Packets that have come since the last call, oldest first; never waits. */
  read(): LoggedPacket[] {
    const packets: LoggedPacket[] = [];
    for (let count = 0; count < mostMessages; count++) {
      const message = this.#receive();
      if (message === undefined) break;
      packets.push(...packetOf(message));
    }
    return packets;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #receive(): Buffer | undefined {
    try {
      return this.#socket.receive();
    } catch (error) {
      // Some were lost; what is said next is whole.
      if (errnoOf(error) === 'ENOBUFS') return Buffer.alloc(0);
      throw error;
    }
  }

  #configure(group: number, value: Buffer): void {
    // struct nfgenmsg: no family, no version, the group.
    const fixed = Buffer.alloc(4);
    fixed.writeUInt16BE(group, 2);
    const request = { type: NFULNL_MSG_CONFIG, flags: 0, body: [fixed, value] };
    this.#socket.request(`open a log of packets (group ${group})`, request);
  }
}
