import { SandportFault } from '@sandport/protocol';
import type { ServerChannel } from 'ssh2';
import type { ConnectionContext } from '../connection/connection-context.ts';
import { ChannelWriter } from '../library/channel-writer.ts';
import { end } from '../session/end-channel.ts';
import { answerRequest } from './answer-request.ts';
import { HandleTable } from './handles/handle-table.ts';
import { extensionVersions } from './operations/index.ts';
import { Request } from './protocol/constants.ts';
import { MalformedPacket, PacketReader } from './protocol/packet-reader.ts';
import { PacketSplitter, SftpViolation } from './protocol/packet-splitter.ts';
import { versionPacket } from './protocol/responses.ts';
import { SftpContext } from './sftp-context.ts';

const oldestVersion = 3;

/** Writes that may be under way at a time, so that bytes arrive while others go to the disk. */
const maxWrites = 3;

/**
 * Serves the sandbox's files over a channel, through its root and without a process inside. Requests
 * are answered one after the other, but for some writes in a row; nothing more is read while an
 * answer waits.
 */
export async function serveSftp(
  { engine, loggedIn, socket, logger, channels, openFiles }: ConnectionContext,
  channel: ServerChannel,
): Promise<void> {
  const closed = channels.hold(channel);
  const writer = new ChannelWriter(channel, socket, closed);
  const handles = new HandleTable(openFiles);
  const context = new SftpContext({ engine, loggedIn, handles });
  const splitter = new PacketSplitter(maxWrites);
  /** The oldest first: its packet's buffer is the next to be used again. */
  const writes: Promise<boolean>[] = [];
  let movedBytes = 0;
  let isGreeted = false;
  try {
    const { principal, sandbox } = loggedIn;
    using active = engine.files.using(principal, sandbox, () => movedBytes);
    void active;
    for await (const chunk of channel.iterator({ destroyOnReturn: false })) {
      for (const packet of splitter.push(chunk)) {
        movedBytes += packet.length;
        const isWrite = isGreeted && packet[0] === Request.write;
        const room = isWrite ? maxWrites - 1 : 0;
        while (writes.length > room) await writes.shift();
        const answered = isGreeted ? answerRequest(context, packet, logger) : greet(packet);
        isGreeted = true;
        const sent = answered.then((answer) => {
          movedBytes += answer.length;
          return writer.write('stdout', answer);
        });
        if (isWrite) writes.push(handled(sent));
        else if (!(await sent)) return;
      }
    }
    await Promise.all(writes);
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
    await Promise.allSettled(writes);
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
