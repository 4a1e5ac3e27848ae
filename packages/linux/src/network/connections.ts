import { attribute } from './netlink-message.ts';
import { NetlinkSocket } from './netlink-socket.ts';

// Values from include/uapi/linux: netlink.h, netfilter/nfnetlink.h, netfilter/nfnetlink_conntrack.h.
const NETLINK_NETFILTER = 12;
const IPCTNL_MSG_CT_DELETE = (1 << 8) | 2;
const CTA_MARK = 8;
const CTA_MARK_MASK = 21;
/** `struct nfgenmsg` without a family: of all families. */
const anyFamily = Buffer.alloc(4);

/**
 * Has the kernel forget the connections that it knows by a mark: else it remembers them for days
 * after both sides are gone. @param mask bits of the mark that count @throws SystemError
 */
export function forgetConnections(mark: number, mask: number): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  socket.request(`forget connections (mark ${mark})`, {
    type: IPCTNL_MSG_CT_DELETE,
    flags: 0,
    body: [anyFamily, attribute(CTA_MARK, bits(mark)), attribute(CTA_MARK_MASK, bits(mask))],
  });
}

/** Of the network's byte order. */
function bits(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
