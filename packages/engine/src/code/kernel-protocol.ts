import type { CodeResult } from '@sandport/protocol';
import { z } from 'zod';

/**
 * How the daemon talks to a kernel: the program in a sandbox that runs the code of one context and
 * keeps its variables. The kernels lie in the `kernels` directory of this package.
 *
 * To a kernel, on its standard input: for each run two texts, the name of the run and the code, each
 * ended by a NUL. An interrupt is SIGINT to its process group; for `javascript` the text `\x03`
 * comes before it. One that comes after both `begin` of a run ends its code, even if that has not
 * begun yet; one that comes before them, or when nothing runs, does nothing.
 *
 * From a kernel: what the code writes, as it is, on standard output and standard error; and between
 * that, frames: a NUL, the mark that the kernel got as its argument, JSON of {@link kernelFrameSchema},
 * a NUL. `ready`, or `unavailable`, comes first, on standard output. For each run both streams have
 * `begin`, then what the code wrote, then `end`; results and errors come on standard output.
 *
 * The code can write frames, too, since it knows the mark: nothing in them is trusted.
 */
export const kernelFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('unavailable'), missing: z.string().max(200) }),
  z.object({ type: z.literal('begin'), run: z.string().max(64) }),
  z.object({
    type: z.literal('result'),
    data: z.record(z.string().max(200), z.string()),
    left_out: z.array(z.string().max(200)).max(100).optional(),
  }),
  z.object({
    type: z.literal('error'),
    name: z.string().max(1_000),
    value: z.string().max(65_536),
    traceback: z.array(z.string().max(65_536)).max(1000),
  }),
  z.object({
    type: z.literal('end'),
    run: z.string().max(64),
    exit: z.int().min(0).max(255),
    count: z.int().min(0).nullish(),
  }),
]);
export type KernelFrame = z.infer<typeof kernelFrameSchema>;

/** Most bytes of the frames with results of one run: a kernel leaves out what is larger than 10 MiB. */
export const maxResultFrameBytes = 16 * 1024 * 1024;

/** Most bytes of any other frame, and of one with a result when there were many. */
export const maxSmallFrameBytes = 2 * 1024 * 1024;

/** Counts for each result besides its bytes, so that their number is bounded. */
export const resultBytes = 256;

/** What a result takes, as limits count it. */
export function bytesOfResult(result: CodeResult): number {
  let bytes = resultBytes;
  for (const [mime, text] of Object.entries(result))
    bytes += Buffer.byteLength(mime) + Buffer.byteLength(text);
  return bytes;
}
