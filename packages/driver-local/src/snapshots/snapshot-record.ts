import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isolationSchema } from '@sandport/protocol';
import { z } from 'zod';

/** What the driver must know of a snapshot; written when all else of it is there. */
const snapshotRecordSchema = z.object({
  isolation: isolationSchema,
  template: z.string(),
  templateVersion: z.string(),
  /** Present when it has processes; what the image must find in its new sandbox. */
  memory: z
    .object({
      /** Of the init that is in it. */
      token: z.string(),
      /** Where volumes were mounted. */
      mountPaths: z.array(z.string()),
    })
    .optional(),
});
export type SnapshotRecord = Readonly<z.infer<typeof snapshotRecordSchema>>;

/** Readers see the whole record, or none. */
export function writeSnapshotRecord(file: string, record: SnapshotRecord): void {
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined when there is none that can be read: the snapshot was not finished. */
export function readSnapshotRecord(file: string): SnapshotRecord | undefined {
  try {
    return snapshotRecordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
