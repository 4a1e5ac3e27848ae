import { closeSync } from 'node:fs';
import { errnoNameOf } from '../ffi/library.ts';
import { openNetlink, receiveNetlink, sendNetlink } from '../ffi/network-calls.ts';
import { SystemError } from '../ffi/system-error.ts';
import {
  headerBytes,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  netlinkMessage,
  type NetlinkRequest,
} from './netlink-message.ts';

/** The longest answer to what is asked here is far shorter. */
const mostAnswerBytes = 64 * 1024;

/**
 * A conversation with the kernel over netlink, in the network namespace that the main thread is in
 * when it is opened. The kernel carries a request out before the call returns.
 */
export class NetlinkSocket implements Disposable {
  readonly fd: number;
  readonly #buffer = Buffer.alloc(mostAnswerBytes);
  #sequence = 0;

  /** @param protocol as in include/uapi/linux/netlink.h */
  constructor(protocol: number) {
    this.fd = openNetlink(protocol);
  }

  /**
   * Has the kernel do something. @returns what it says beside that it is done
   * @param what named in the error @throws SystemError with the kernel's errno
   */
  request(what: string, request: NetlinkRequest): Buffer | undefined {
    const flags = request.flags | NLM_F_REQUEST | NLM_F_ACK;
    const sequence = ++this.#sequence;
    sendNetlink(this.fd, netlinkMessage({ ...request, flags }, sequence));
    let answer: Buffer | undefined;
    for (;;) {
      const message = this.#next(what, sequence);
      if (message.readUInt16LE(4) !== NLMSG_ERROR) {
        answer = Buffer.from(message);
        continue;
      }
      const errno = -message.readInt32LE(headerBytes);
      if (errno !== 0) throw new SystemError(errnoNameOf(errno), what);
      return answer;
    }
  }

  /** Bytes of the next message of any kind in the buffer; undefined when none has come. */
  receive(): Buffer | undefined {
    const size = receiveNetlink(this.fd, this.#buffer);
    return size === undefined ? undefined : this.#buffer.subarray(0, size);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }

  #next(what: string, sequence: number): Buffer {
    for (;;) {
      const message = this.receive();
      if (message === undefined) throw new SystemError('EIO', `${what} (the kernel says nothing)`);
      if (message.length >= headerBytes + 4 && message.readUInt32LE(8) === sequence) return message;
    }
  }
}
