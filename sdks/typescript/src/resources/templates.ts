import { type TemplateObject, templateSchema } from '@sandport/protocol';
import { NetworkError } from '../errors/client-errors.ts';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import { parseJson } from '../http/answer-body.ts';
import { parseEventStream } from '../http/event-stream.ts';
import { jsonSpec, type Transport } from '../http/transport.ts';

export interface BuildOptions {
  /** Called with each line of the build's log. */
  onLog?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What sandboxes start from. */
export class Templates {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: { signal?: AbortSignal | undefined } = {}): Promise<TemplateObject[]> {
    return this.#transport.json(
      { method: 'GET', path: '/v1/templates', ...options },
      templateSchema.array(),
    );
  }

  /** @throws NotFoundError */
  get(name: string, options: { signal?: AbortSignal | undefined } = {}): Promise<TemplateObject> {
    return this.#transport.json(
      { method: 'GET', path: `/v1/templates/${encodeURIComponent(name)}`, ...options },
      templateSchema,
    );
  }

  /** Builds a template and waits for it, for as long as it takes. @throws ServerError */
  async build(name: string, { onLog, signal }: BuildOptions = {}): Promise<TemplateObject> {
    const spec = jsonSpec({
      method: 'POST',
      path: '/v1/templates/build',
      headers: { accept: 'text/event-stream' },
      json: { name },
      signal,
      idleTimeoutMs: 0,
    });
    const message = await this.#transport.send(spec);
    try {
      for await (const { event, data } of parseEventStream(message)) {
        const body = parseJson(data);
        if (event === 'log') onLog?.(logLine(body));
        else if (event === 'done') return templateSchema.parse(body);
        else if (event === 'error') throw errorFromAnswer({ body });
      }
    } finally {
      message.destroy();
    }
    signal?.throwIfAborted();
    throw new NetworkError('The connection ended before the build did.');
  }
}

function logLine(body: unknown): string {
  const line: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'line') : undefined;
  return typeof line === 'string' ? line : '';
}
