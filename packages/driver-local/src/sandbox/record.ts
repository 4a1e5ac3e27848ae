import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isolationSchema } from '@sandport/protocol';
import { z } from 'zod';

/** What the driver must know of a sandbox after its own restart; kept in driver.json. */
const recordSchema = z.object({
  isolation: isolationSchema,
  template: z.string(),
  templateVersion: z.string(),
  /** First host id of the sandbox's range; 0 without a user namespace. */
  idBase: z.int().min(0),
  /** Proves to the daemon that a connection comes from this sandbox's init. */
  token: z.string(),
  /** First process of the sandbox on the host, once it runs. */
  process: z.object({ pid: z.int(), startTime: z.number() }).optional(),
});
export type SandboxRecord = z.infer<typeof recordSchema>;

/** Readers see the whole old or the whole new record. */
export function writeRecord(file: string, record: SandboxRecord): void {
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined when there is none that can be read. */
export function readRecord(file: string): SandboxRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
