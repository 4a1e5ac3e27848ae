import { addAbortSignal } from 'node:stream';
import type { RemotePlace } from '../parse/copy-place.ts';
import { writeAll } from '../output/print.ts';
import { UsageError } from '../usage-error.ts';
import type { CopyJob } from './copy-job.ts';
import { type CopyCounts, oneFile } from './copy-result.ts';

/** Writes standard input to a file of a sandbox. */
export async function copyFromStdin(to: RemotePlace, job: CopyJob): Promise<CopyCounts> {
  if (to.path.endsWith('/')) {
    throw new UsageError('Standard input has no name: the target must name a file.');
  }
  const { filesystem } = await job.holders.get(to.holder);
  const onProgress = job.progress.start(to.path);
  const { signal } = job;
  const { bytes } = await filesystem.write(to.path, process.stdin, { signal, onProgress });
  return oneFile(bytes);
}

/** Writes a file of a sandbox to standard output. */
export async function copyToStdout(
  from: RemotePlace,
  job: Pick<CopyJob, 'holders' | 'signal'>,
): Promise<CopyCounts> {
  const { filesystem } = await job.holders.get(from.holder);
  const stream = await filesystem.readStream(from.path, { signal: job.signal });
  let bytes = 0;
  const chunks: AsyncIterable<Buffer> = addAbortSignal(job.signal, stream);
  for await (const chunk of chunks) {
    await writeAll(process.stdout, chunk);
    bytes += chunk.length;
  }
  return oneFile(bytes);
}
