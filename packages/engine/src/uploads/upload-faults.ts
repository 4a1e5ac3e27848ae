import { SandportFault } from '@sandport/protocol';
import type { UploadRow } from '@sandport/state';

export const noUpload = (id: string): SandportFault =>
  new SandportFault('upload_not_found', 'No upload with this id is under way.', {
    upload: id.slice(0, 100),
  });

/** The guest can see where the bytes are kept, and has meddled with them. */
export const uploadIsGone = ({ id, path }: UploadRow): SandportFault =>
  new SandportFault(
    'upload_not_found',
    `The bytes of the upload to ${path} are gone: something in the sandbox removed or replaced its temporary file.`,
    { upload: id, path },
  );

/** Runs a step of an upload; errors about its temporary file become errors about the upload. */
export async function aboutUpload<T>(row: UploadRow, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof SandportFault)) throw error;
    // Missing directories are made: only the temporary file can be missing.
    if (error.code === 'file_not_found') throw uploadIsGone(row);
    // Long paths are cut in faults.
    const shown = String(error.details['path'] ?? '');
    const isStaged = shown !== '' && row.staged.path.startsWith(shown.replace(/…$/, ''));
    if (!isStaged) throw error;
    const sentence = error.message.replaceAll(shown, row.path);
    const details = { ...error.details, path: row.path };
    throw new SandportFault(error.code, sentence, details, { cause: error });
  }
}
