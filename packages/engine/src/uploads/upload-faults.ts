import type { SandboxFiles } from '@sandport/driver';
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
export async function aboutUpload<T>(
  row: UploadRow,
  files: SandboxFiles,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof SandportFault)) throw error;
    if (error.code === 'file_not_found' && (await isGone(row, files))) throw uploadIsGone(row);
    if (error.details['path'] !== row.staged.path.slice(0, 200)) throw error;
    const sentence = error.message.replaceAll(row.staged.path, row.path);
    const details = { ...error.details, path: row.path };
    throw new SandportFault(error.code, sentence, details, { cause: error });
  }
}

const isGone = async (row: UploadRow, files: SandboxFiles): Promise<boolean> =>
  (await files.staged.size(row.staged)) === undefined;
