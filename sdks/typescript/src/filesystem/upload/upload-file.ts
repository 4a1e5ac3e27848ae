import { type FilesApi, guestPath } from '../files-api.ts';
import { openLocalSource } from '../write/local-source.ts';
import { writeFile } from '../write/write-file.ts';
import type { UploadOptions, WriteResult } from '../write/write-options.ts';
import { canResume, resumableUpload } from './resumable-upload.ts';

const defaultResumableAboveBytes = 64 * 1024 * 1024;

/** Copies a local file into the sandbox; see `Filesystem.upload`. */
export async function uploadFile(
  api: FilesApi,
  localPath: string,
  remotePath: string,
  options: UploadOptions,
): Promise<WriteResult> {
  const { resumableAboveBytes = defaultResumableAboveBytes } = options;
  const path = guestPath(remotePath);
  options.signal?.throwIfAborted();
  const { source, handle, sizeBytes } = await openLocalSource(localPath);
  try {
    const { uploadsPath } = api;
    const isLarge = sizeBytes !== undefined && sizeBytes > resumableAboveBytes;
    if (isLarge && uploadsPath !== undefined && canResume(options)) {
      const file = { path: localPath, handle };
      return await resumableUpload({ api, uploadsPath }, file, path, options);
    }
    return await writeFile(api.transport, { fsPath: api.fsPath, path }, source, options);
  } finally {
    await handle.close();
  }
}
