import type { IncomingMessage } from 'node:http';
import { KubeError } from '../../objects/kube-error.ts';
import { decodeBody } from './decode-body.ts';
import { decodeProtobuf } from './protobuf-body.ts';

/** As the limit of Kubernetes' own server. */
export const maxBodyBytes = 3 << 20;
/** How long a client may take to send a body. */
const maxBodyMs = 60_000;

const jsonTypes = new Set([
  '',
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
]);
const yamlTypes = new Set(['application/yaml', 'application/x-yaml', 'text/yaml']);

const protobufType = 'application/vnd.kubernetes.protobuf';

/** Media type of the body, in lower case and without parameters; empty when none is named. */
export const mediaTypeOf = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/**
 * The value that a request's JSON or YAML holds; undefined when there is no body.
 * @throws KubeError `UnsupportedMediaType`, `RequestEntityTooLarge`, `BadRequest`
 */
export async function readObject(request: IncomingMessage): Promise<unknown> {
  const type = mediaTypeOf(request);
  if (type === protobufType) return decodeProtobuf(await readBytes(request));
  if (!jsonTypes.has(type) && !yamlTypes.has(type)) {
    throw new KubeError(
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    );
  }
  return decodeBody(await readText(request));
}

/** @throws KubeError as {@link readObject} */
export async function readText(request: IncomingMessage): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBytes(request));
  } catch (error) {
    if (error instanceof KubeError) throw error;
    throw new KubeError('BadRequest', 'the body of the request is not UTF-8');
  }
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new KubeError(
      'UnsupportedMediaType',
      `bodies with Content-Encoding ${encoding} are not read`,
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const timer = setTimeout(() => request.destroy(), maxBodyMs);
  try {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    // What is left of a refused body is read and dropped, so that the answer arrives.
    const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof KubeError) throw error;
    throw new KubeError('BadRequest', 'the body of the request is not whole');
  } finally {
    clearTimeout(timer);
  }
}

const tooLarge = (): KubeError =>
  new KubeError('RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
