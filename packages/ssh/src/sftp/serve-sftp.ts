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

/**
 * Serves the sandbox's files over a channel, through its root and without a process inside. Requests
 * are answered one after the other; nothing more is read while an answer waits.
 */
export async function serveSftp(
  { engine, loggedIn, socket, logger, channels, openFiles }: ConnectionContext,
  channel: ServerChannel,
): Promise<void> {
  const closed = channels.hold(channel);
  const writer = new ChannelWriter(channel, socket, closed);
  const handles = new HandleTable(openFiles);
  const context = new SftpContext({ engine, loggedIn, handles });
  const splitter = new PacketSplitter();
  let movedBytes = 0;
  let isGreeted = false;
  try {
    const { principal, sandbox } = loggedIn;
    using active = engine.files.using(principal, sandbox, () => movedBytes);
    void active;
    for await (const chunk of channel.iterator({ destroyOnReturn: false })) {
      for (const packet of splitter.push(chunk)) {
        movedBytes += packet.length;
        const answer = isGreeted ? await answerRequest(context, packet, logger) : greet(packet);
        isGreeted = true;
        movedBytes += answer.length;
        if (!(await writer.write('stdout', answer))) return;
      }
    }
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
    await handles.closeAll();
    end(channel);
  }
}

/** The answer to the first packet. @throws SftpViolation when that is not INIT */
function greet(packet: Buffer): Buffer {
  const reader = new PacketReader(packet);
  if (reader.byte() !== Request.init || reader.uint32() < oldestVersion)
    throw new SftpViolation('the first packet is not INIT of version 3');
  return versionPacket(extensionVersions);
}
