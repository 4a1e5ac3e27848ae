import type { IncomingMessage } from 'node:http';
import type { RequestSpec } from '../../http/request.ts';
import type { Transport } from '../../http/transport.ts';

/** The bytes of an answer as they come. @throws NetworkError when the connection breaks */
export async function* receiveBody(
  transport: Transport,
  message: IncomingMessage,
  spec: RequestSpec,
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = (message as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Only what the connection throws is explained, not what the reader does.
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw error instanceof Error ? transport.brokenBody(error, spec) : error;
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}
