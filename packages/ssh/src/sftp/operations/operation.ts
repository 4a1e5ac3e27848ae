import type { PacketReader } from '../protocol/packet-reader.ts';
import type { SftpContext } from '../sftp-context.ts';

/** Answers one request. @returns the packet of the answer @throws SandportFault, MalformedPacket */
export type Operation = (context: SftpContext, id: number, reader: PacketReader) => Promise<Buffer>;
