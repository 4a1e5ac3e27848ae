import { type SandboxObject, sandboxSchema, type SandboxStatus } from '@sandport/protocol';
import { header } from '../http/answer-body.ts';
import type { QueryValue } from '../http/request.ts';
import type { Schema, Transport } from '../http/transport.ts';

export interface SandboxFilter {
  template?: string | undefined;
  status?: SandboxStatus | undefined;
  namespace?: string | undefined;
  /** Sandboxes that have all of these labels. */
  metadata?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
}

const pageSize = 500;
const pageSchema: Schema<SandboxObject[]> = sandboxSchema.array();

/** All sandboxes that fit the filter, newest first, page by page. */
export async function* listSandboxes(
  transport: Transport,
  filter: SandboxFilter,
): AsyncGenerator<SandboxObject, void, undefined> {
  const query: Record<string, QueryValue> = {
    template: filter.template,
    status: filter.status,
    namespace: filter.namespace,
    limit: pageSize,
  };
  for (const [key, value] of Object.entries(filter.metadata ?? {}))
    query[`metadata.${key}`] = value;
  for (;;) {
    const { value, message } = await transport.jsonWithHead(
      { method: 'GET', path: '/v1/sandboxes', query, signal: filter.signal },
      pageSchema,
    );
    yield* value;
    const cursor = header(message, 'x-next-cursor');
    if (cursor === undefined || cursor === '') return;
    query['cursor'] = cursor;
  }
}
