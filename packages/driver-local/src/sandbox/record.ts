import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isolationSchema } from '@sandport/protocol';
import { z } from 'zod';

/**
 * How far a hibernation is. Each phase is written before its step:
 * - `falling`: its processes may be running, or their memory is in the image that is named.
 * - `asleep`: no processes.
 * - `rising`: processes may have been started; the image is not to be used any more unless the
 *   start is known to have failed.
 */
const sleepSchema = z.object({
  phase: z.enum(['falling', 'asleep', 'rising']),
  /** Directory with the memory of the processes, below the sandbox's own; absent without one. */
  image: z.string().optional(),
  /** Why there is none although the isolation could have made one. */
  lostImage: z.string().optional(),
});

/** What the driver must know of a sandbox after its own restart; kept in driver.json. */
const recordSchema = z.object({
  isolation: isolationSchema,
  template: z.string(),
  templateVersion: z.string(),
  /** First host id of the sandbox's range; 0 without a user namespace. */
  idBase: z.int().min(0),
  /**
   * True: owners in the sandbox's layer are ids of the guest. Absent in records of the first
   * release, where they are host ids.
   */
  guestIds: z.boolean().default(false),
  /** Proves to the daemon that a connection comes from this sandbox's init. */
  token: z.string(),
  /** First process of the sandbox on the host, once it runs. */
  process: z.object({ pid: z.int(), startTime: z.number() }).optional(),
  /** True: it stands still for a moment, which nobody has asked for. */
  still: z.boolean().optional(),
  /** Its place among the networks, kept for as long as it is to have one. */
  network: z
    .object({
      index: z.int().min(0),
      /** Of the connections that its policy has let through. */
      mark: z.int().min(1),
      /** True: its processes have an interface. */
      attached: z.boolean(),
    })
    .optional(),
  /** Absent while it runs, and after its death. */
  sleep: sleepSchema.optional(),
});
export type SandboxRecord = Readonly<z.infer<typeof recordSchema>>;

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
