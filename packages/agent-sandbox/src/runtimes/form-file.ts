import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyConfig } from '@fastify/busboy';
import type { FileWriter } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { type Exchange, receiveBody } from '@sandport/server';

export interface FormFileOptions {
  /** After so long without a byte the body is given up, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** What a form had: the file, which has been written, or why nothing was. */
export type ReceivedForm = { readonly fileName: string } | 'none' | 'several';

interface FileOfForm {
  readonly fileName: string;
  readonly contents: Readable;
  readonly writing: Promise<FileWriter>;
}

/** A form with more than this is not one of a file. */
const limits: BusboyConfig['limits'] = {
  fields: 32,
  fieldSize: 64 * 1024,
  parts: 64,
  headerPairs: 32,
  headerSize: 16 * 1024,
};

/**
 * Streams the one file of a `multipart/form-data` body to where `begin` opens a writer for its
 * name. It is committed when the body was well-formed to its end and had no other file of that
 * field; otherwise nothing is written.
 * @throws SandportFault `invalid_request` for what is no form, `incomplete_body`,
 * `request_timeout`, and the writer's
 */
export async function receiveFormFile(
  exchange: Exchange,
  field: string,
  begin: (fileName: string) => Promise<FileWriter>,
  { idleTimeoutMs }: FormFileOptions,
): Promise<ReceivedForm> {
  const { request } = exchange;
  if (!/^multipart\/form-data\s*;/i.test(request.headers['content-type'] ?? '')) return 'none';
  const form = openForm(request.headers['content-type'] ?? '');
  let file: FileOfForm | undefined;
  let isSeveral = false;
  form.on('file', (name: string | undefined, contents: Readable, fileName: string | undefined) => {
    contents.on('error', () => undefined);
    if (name !== field || fileName === undefined) contents.resume();
    else if (file !== undefined) {
      isSeveral = true;
      contents.resume();
    } else {
      const plain = unescape(fileName);
      const writing = write(contents, () => begin(plain));
      writing.catch((error: unknown) => form.destroy(asError(error)));
      file = { fileName: plain, contents, writing };
    }
  });
  form
    .on('partsLimit', () => form.destroy(tooMany()))
    .on('fieldsLimit', () => form.destroy(tooMany()));
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of the form came for ${idleTimeoutMs} ms.`);
  exchange.takeBody();
  try {
    await receiveBody(request, form, { idleTimeoutMs, onIdle });
  } catch (error) {
    await abandon(file);
    throw inWords(error, exchange);
  }
  if (file === undefined) return 'none';
  await using writer = await file.writing;
  if (isSeveral) return 'several';
  await writer.commit();
  return { fileName: file.fileName };
}

function openForm(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      preservePath: true,
      limits,
      isPartAFile: (_field, _type, fileName) => fileName !== undefined,
    });
  } catch (error) {
    throw malformed(error);
  }
}

/** Resolves with the writer when all of the contents are in it. */
async function write(contents: Readable, begin: () => Promise<FileWriter>): Promise<FileWriter> {
  const writer = await begin();
  try {
    contents.pipe(writer.stream);
    contents.once('error', (error) => writer.stream.destroy(error));
    if (contents.destroyed && !contents.readableEnded)
      writer.stream.destroy(new Error('the form ended within its file'));
    await finished(writer.stream);
    return writer;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Gives up what was being written. */
async function abandon(file: FileOfForm | undefined): Promise<void> {
  file?.contents.destroy(new Error('the form ended within its file'));
  const writer = await file?.writing.catch(() => undefined);
  await writer?.abort();
}

/** Names are sent with quotes and line ends percent-encoded, and nothing else. */
const unescape = (fileName: string): string =>
  fileName.replaceAll('%22', '"').replaceAll(/%0A/gi, '\n').replaceAll(/%0D/gi, '\r');

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));

const malformed = (cause: unknown) =>
  new SandportFault(
    'invalid_request',
    'The body is not a form as its content type says.',
    { field: 'body' },
    { cause },
  );

const tooMany = () =>
  new SandportFault('invalid_request', 'The form has more parts than a form with a file needs.', {
    field: 'body',
  });

function inWords(error: unknown, { request }: Exchange): unknown {
  if (error instanceof SandportFault) return error;
  if (request.complete) return malformed(error);
  return new SandportFault(
    'incomplete_body',
    'The body ended early; nothing was written.',
    {},
    {
      cause: error,
    },
  );
}
