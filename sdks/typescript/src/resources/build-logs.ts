import { type TemplateObject, templateSchema } from '@sandport/protocol';
import { NetworkError } from '../errors/client-errors.ts';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import { SandportError } from '../errors/sandport-error.ts';
import type { SignalOptions } from '../filesystem/progress.ts';
import { receiveBody } from '../filesystem/read/receive-body.ts';
import { parseJson } from '../http/answer-body.ts';
import { parseEventStream } from '../http/event-stream.ts';
import { Patience } from '../http/patience.ts';
import type { Transport } from '../http/transport.ts';

/**
 * The log of a build, line by line from its beginning, followed to its end; a broken connection is
 * made again. What the generator returns is the template.
 * @throws what the build failed with; NotFoundError when the daemon does not know the build any more
 */
export async function* buildLogs(
  transport: Transport,
  id: string,
  { signal }: SignalOptions,
): AsyncGenerator<string, TemplateObject, undefined> {
  const path = `${buildPath(id)}/logs`;
  const headers = { accept: 'text/event-stream' };
  const spec = { method: 'GET', path, headers, signal, idleTimeoutMs: 0 } as const;
  const patience = new Patience(undefined);
  let told = 0;
  for (;;) {
    try {
      const message = await transport.send(spec);
      let at = 0;
      try {
        const events = parseEventStream(receiveBody(transport, message, spec));
        for await (const { event, data } of events) {
          const body = parseJson(data);
          if (event === 'done') return templateSchema.parse(body);
          if (event === 'error') throw new BuildFailure(errorFromAnswer({ body }));
          if (event !== 'log' || at++ < told) continue;
          told = at;
          patience.progress();
          yield logLine(body);
        }
      } finally {
        message.destroy();
      }
      throw new NetworkError('The connection ended before the build did.');
    } catch (error) {
      if (error instanceof BuildFailure) throw error.failure;
      await patience.pause(error, signal);
    }
  }
}

/** Path of a build in the API. */
export const buildPath = (id: string) => `/v1/templates/builds/${encodeURIComponent(id)}`;

/** What a build ended with, apart from what happens to the connection. */
class BuildFailure extends Error {
  readonly failure: SandportError;

  constructor(failure: SandportError) {
    super(failure.message);
    this.failure = failure;
  }
}

function logLine(body: unknown): string {
  const line: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'line') : undefined;
  return typeof line === 'string' ? line : '';
}
