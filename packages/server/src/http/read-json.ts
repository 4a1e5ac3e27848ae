import { Writable } from 'node:stream';
import { SandportFault } from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from './exchange.ts';
import { receiveBody } from './receive-body.ts';

/** Most bytes of a JSON body, where nothing else is said. */
const defaultLimitBytes = 1024 * 1024;
const defaultIdleTimeoutMs = 60_000;

/**
 * Reads and checks a JSON body, also one that may be left out: no body at all counts as `{}`. The
 * content type is not looked at, because clients exist that send `text/plain`.
 * @throws SandportFault `invalid_request`, `payload_too_large`, `incomplete_body`
 */
export async function readJson<Schema extends z.ZodType>(
  exchange: Exchange,
  schema: Schema,
  options: { limitBytes?: number } = {},
): Promise<z.infer<Schema>> {
  const text = await readText(exchange, options.limitBytes ?? defaultLimitBytes);
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new SandportFault(
      'invalid_request',
      `The body is not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}.`,
      { field: 'body' },
    );
  }
  return check(schema, value);
}

const noFields = z.strictObject({});

/**
 * Reads the body of a request that has nothing to say: none at all, or `{}`.
 * @throws SandportFault as {@link readJson}
 */
export async function readNoFields(exchange: Exchange): Promise<void> {
  await readJson(exchange, noFields);
}

/** Checks a value that came from outside. @throws SandportFault `invalid_request` naming the field. */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'body';
  if (issue?.code === 'unrecognized_keys') {
    const known = field === 'body' ? knownKeys(schema) : [];
    throw new SandportFault(
      'invalid_request',
      `Unknown field${issue.keys.length > 1 ? 's' : ''} ${issue.keys.map((key) => `"${key}"`).join(', ')}${field === 'body' ? '' : ` in "${field}"`}${known.length > 0 ? `; known are ${known.join(', ')}` : ''}.`,
      field === 'body' ? { field: issue.keys[0], known } : { field: `${field}.${issue.keys[0]}` },
    );
  }
  const inKey = issue?.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
  const message = inKey ? `the name ${inKey}` : (issue?.message ?? 'is not valid');
  const why = message.endsWith('received undefined') ? 'is missing' : message;
  throw new SandportFault('invalid_request', `"${field}": ${why}.`, { field });
}

const knownKeys = (schema: z.ZodType): string[] =>
  'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? Object.keys(schema.shape).sort()
    : [];

/**
 * Reads a body of text, whatever its content type.
 * @param idleTimeoutMs after so long without a byte the body is given up
 * @throws SandportFault `payload_too_large`, `incomplete_body`, `invalid_request`,
 * `request_timeout`, `limit_reached`
 */
export async function readText(
  exchange: Exchange,
  limitBytes: number,
  idleTimeoutMs = defaultIdleTimeoutMs,
): Promise<string> {
  const { request } = exchange;
  const tooLarge = () =>
    new SandportFault('payload_too_large', `The body is larger than ${limitBytes} bytes.`, {
      limit_bytes: limitBytes,
    });
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  const target = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      exchange.bytesIn += chunk.length;
      if (exchange.bytesIn > limitBytes) return done(tooLarge());
      chunks.push(chunk);
      done(heldBytes(exchange, chunk.length));
    },
  });
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of the body came for ${idleTimeoutMs} ms.`);
  exchange.takeBody();
  try {
    await receiveBody(request, target, { idleTimeoutMs, onIdle });
  } catch (error) {
    if (error instanceof SandportFault) throw error;
    throw new SandportFault('incomplete_body', 'The body ended before its announced length.', {
      received_bytes: exchange.bytesIn,
    });
  }
  const body = Buffer.concat(chunks);
  const text = body.toString('utf8');
  if (text.includes('\uFFFD') && !Buffer.from(text).equals(body))
    throw new SandportFault('invalid_request', 'The body is not valid UTF-8.', { field: 'body' });
  return text;
}

/** Why they may not be held. */
function heldBytes({ held }: Exchange, bytes: number): Error | null {
  try {
    held?.take(bytes);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
