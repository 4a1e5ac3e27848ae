import { type ErrorCode, SandportFault } from '@sandport/protocol';
import type { Logger } from 'pino';
import { extensions, operations } from './operations/index.ts';
import { Request, Status, type StatusCode } from './protocol/constants.ts';
import { MalformedPacket, PacketReader } from './protocol/packet-reader.ts';
import { statusPacket } from './protocol/responses.ts';
import type { SftpContext } from './sftp-context.ts';

/** Those that SFTP has a status for; all others are a failure with a sentence. */
const statuses: Partial<Record<ErrorCode, StatusCode>> = {
  file_not_found: Status.noSuchFile,
  not_a_directory: Status.noSuchFile,
  symlink_loop: Status.noSuchFile,
  sandbox_not_found: Status.noSuchFile,
  permission_denied: Status.permissionDenied,
  not_a_regular_file: Status.permissionDenied,
  forbidden: Status.permissionDenied,
  invalid_path: Status.badMessage,
};

/** Answers one request, whatever is in it. @throws MalformedPacket when not even its id can be read */
export async function answerRequest(
  context: SftpContext,
  packet: Buffer,
  logger: Logger,
): Promise<Buffer> {
  const reader = new PacketReader(packet);
  const type = reader.byte();
  const id = reader.uint32();
  try {
    const operation =
      type === Request.extended
        ? extensions.get(reader.bytes().toString('latin1'))
        : operations.get(type);
    if (operation === undefined)
      return statusPacket(id, Status.unsupported, 'This request is not known here.');
    return await operation(context, id, reader);
  } catch (error) {
    if (error instanceof SandportFault)
      return statusPacket(id, statuses[error.code] ?? Status.failure, error.message);
    if (error instanceof MalformedPacket)
      return statusPacket(id, Status.badMessage, `The request is malformed: ${error.message}.`);
    logger.error({ err: error, type }, 'a request of SFTP failed');
    return statusPacket(id, Status.failure, 'The daemon met a condition it did not expect.');
  }
}
