import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What must be known of a kept command after a restart of the daemon. */
const keptRecordSchema = z.object({
  details: z.record(z.string(), z.unknown()),
  outputLimitBytes: z.int().min(0),
  hasTerminal: z.boolean(),
  startedAt: z.coerce.date(),
  /** How often the kernel had killed in the sandbox for want of memory when it was started. */
  oomKillsBefore: z.int().min(0),
  end: z
    .object({
      exitCode: z.int(),
      signal: z.string().optional(),
      timedOut: z.boolean(),
      oomKilled: z.boolean(),
      endedAt: z.coerce.date(),
    })
    .optional(),
  /** Its processes went with those of the sandbox. */
  lost: z.boolean().optional(),
  /** All that it wrote, as far as it is kept, is in files. */
  isWhole: z.boolean().default(false),
});
export type KeptRecord = Readonly<z.infer<typeof keptRecordSchema>>;

const recordName = 'command.json';

/** Readers see the whole old or the whole new record. @throws ENOSPC, EDQUOT */
export async function writeKeptRecord(directory: string, record: KeptRecord): Promise<void> {
  const unfinished = join(directory, `${recordName}.new`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    const file = await open(unfinished, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(record));
    } finally {
      await file.close();
    }
    await rename(unfinished, join(directory, recordName));
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Undefined when there is none that can be read. */
export function readKeptRecord(directory: string): KeptRecord | undefined {
  try {
    return keptRecordSchema.parse(JSON.parse(readFileSync(join(directory, recordName), 'utf8')));
  } catch {
    return undefined;
  }
}
