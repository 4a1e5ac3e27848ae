import { SandportFault } from '@sandport/protocol';
import type { ServerChannel } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { ChannelWriter } from '../library/channel-writer.ts';
import { chunksOf } from '../library/chunks-of.ts';
import { end } from '../session/end-channel.ts';
import { answerRequest } from './answer-request.ts';
import { HandleTable } from './handles/handle-table.ts';
import { extensionVersions } from './operations/index.ts';
import { Request } from './protocol/constants.ts';
import { MalformedPacket, PacketReader } from './protocol/packet-reader.ts';
import { PacketSplitter, SftpViolation } from './protocol/packet-splitter.ts';
import { versionPacket } from './protocol/responses.ts';
import { maxUnderWay, SftpContext } from './sftp-context.ts';

const oldestVersion = 3;

/** Requests that may be under way beside others of the same type: the disk and the network both work. */
const together: ReadonlySet<number | undefined> = new Set([Request.read, Request.write]);

/**
 * Serves the sandbox's files over a channel, through its root and without a process inside. Requests
 * are answered one after the other, but for some reads or some writes in a row; nothing more is read
 * while an answer waits.
 */
export async function serveSftp(
  { engine, loggedIn, connection, socket, logger, channels, openFiles }: ConnectionContext,
  channel: ServerChannel,
): Promise<void> {
  const closed = channels.hold(channel);
  const writer = new ChannelWriter(channel, { connection, socket, closed });
  const handles = new HandleTable(openFiles);
  const context = new SftpContext({ engine, loggedIn, handles });
  const splitter = new PacketSplitter(maxUnderWay);
  /** The oldest first: its buffers are the next to be used again. */
  const underWay: Promise<boolean>[] = [];
  let lastType: number | undefined;
  let movedBytes = 0;
  let isGreeted = false;
  try {
    const { principal, sandbox } = loggedIn;
    using active = engine.files.using(principal, sandbox, () => movedBytes);
    void active;
    for await (const chunk of chunksOf(channel)) {
      for (const packet of splitter.push(chunk)) {
        movedBytes += packet.length;
        const type = isGreeted ? packet[0] : undefined;
        const room = together.has(type) && type === lastType ? maxUnderWay - 1 : 0;
        while (underWay.length > room) await underWay.shift();
        // Whoever has closed the channel waits for no answer, but for what was sent to be written.
        if (closed.aborted && type === Request.read) return;
        lastType = type;
        const answered = isGreeted ? answerRequest(context, packet, logger) : greet(packet);
        isGreeted = true;
        // In the order of the requests: scp of OpenSSH 9 cuts a file where answers change places.
        const before = underWay.at(-1);
        const sent = handled(answered).then(async (answer) => {
          await before;
          movedBytes += answer.length;
          return writer.write('stdout', answer);
        });
        if (together.has(type)) underWay.push(handled(sent));
        else if (!(await sent)) return;
      }
    }
    await Promise.all(underWay);
    channel.exit(0);
  } catch (error) {
    const isTheirs =
      error instanceof SftpViolation ||
      error instanceof MalformedPacket ||
      error instanceof SandportFault;
    if (!isTheirs) logger.error({ err: error }, 'an SFTP session failed');
    else logger.debug({ err: error }, 'an SFTP session broke');
    channel.exit(1);
  } finally {
    await Promise.allSettled(underWay);
    await handles.closeAll();
    end(channel);
  }
}

/** Its error is met when it is waited for, and by nobody before. */
function handled<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined);
  return work;
}

/** The answer to the first packet. @throws SftpViolation when that is not INIT */
async function greet(packet: Buffer): Promise<Buffer> {
  const reader = new PacketReader(packet);
  if (reader.byte() !== Request.init || reader.uint32() < oldestVersion)
    throw new SftpViolation('the first packet is not INIT of version 3');
  return versionPacket(extensionVersions);
}
