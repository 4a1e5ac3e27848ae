import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { templateArchiveSchema } from '@sandport/protocol';
import type { TransferOptions } from '../filesystem/progress.ts';
import type { ContentSource } from '../filesystem/write/content.ts';
import { DigestedBody } from '../filesystem/write/digested-body.ts';
import { openLocalSource } from '../filesystem/write/local-source.ts';
import type { RequestSpec } from '../http/request.ts';
import type { Transport } from '../http/transport.ts';
import { walkLocal } from '../tree/local-tree.ts';
import { packTree } from '../tree/pack-tree.ts';
import { SkippedEntries } from '../tree/skipped.ts';

/**
 * Sends an image archive, or a layout directory as a tar archive, for one build.
 * @returns its name for the build
 * @throws LocalFileError
 */
export async function uploadArchive(
  transport: Transport,
  localPath: string,
  options: TransferOptions,
): Promise<string> {
  const root = resolve(localPath);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) {
    const entries = [...walkLocal(root, () => false, new SkippedEntries())];
    const sizeBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    const open = () => packTree(root, entries);
    return send(transport, { kind: 'stream', open, replayable: true, sizeBytes }, options);
  }
  const { source, handle } = await openLocalSource(localPath);
  try {
    return await send(transport, source, options);
  } finally {
    await handle.close();
  }
}

async function send(
  transport: Transport,
  source: ContentSource,
  { signal, onProgress }: TransferOptions,
): Promise<string> {
  const totalBytes = source.kind === 'bytes' ? source.bytes.byteLength : source.sizeBytes;
  const content = new DigestedBody(source, (bytes) => onProgress?.({ bytes, totalBytes }));
  const spec: RequestSpec = {
    method: 'POST',
    path: '/v1/templates/archives',
    headers: { 'content-type': 'application/octet-stream', ...content.headers },
    body: content.body,
    signal,
  };
  const message = await transport.send(spec);
  return (await transport.readJson(message, templateArchiveSchema, spec)).upload;
}
