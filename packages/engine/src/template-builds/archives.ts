import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { SandportFault } from '@sandport/protocol';

/** An archive that arrives. */
export interface IncomingArchive {
  readonly stream: Writable;
  /** Keeps it for a build, within an hour. @returns the name by which the build takes it */
  commit(): string;
  /** Removes it, unless it was committed. Idempotent. */
  abort(): Promise<void>;
}

/** An archive in the hands of a build, which removes it. */
export interface TakenArchive {
  readonly path: string;
  remove(): void;
}

const keepMs = 60 * 60_000;

/** Image archives that clients have sent for a build, in a directory of their own. */
export class TemplateArchives {
  readonly #directory: string;
  readonly #kept = new Map<string, NodeJS.Timeout>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Removes what an earlier daemon left. */
  async clear(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async receive(): Promise<IncomingArchive> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const id = randomUUID();
    const path = join(this.#directory, id);
    const stream = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    let committed = false;
    return {
      stream,
      commit: () => {
        committed = true;
        const timer = setTimeout(() => {
          this.#kept.delete(id);
          remove(path);
        }, keepMs);
        this.#kept.set(id, timer.unref());
        return id;
      },
      abort: async () => {
        if (committed) return;
        stream.destroy();
        // The file may be made only now, when its opening was under way.
        if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve));
        await rm(path, { force: true });
      },
    };
  }

  /** Takes an archive, once. @throws SandportFault `invalid_request` when it is not there */
  take(id: string): TakenArchive {
    const timer = this.#kept.get(id);
    if (timer === undefined)
      throw new SandportFault(
        'invalid_request',
        'No archive was uploaded under this name, or it was used or has expired; upload it again.',
        { field: 'upload' },
      );
    clearTimeout(timer);
    this.#kept.delete(id);
    const path = join(this.#directory, id);
    return { path, remove: () => remove(path) };
  }

  /** Forgets all; the files go with the next start. */
  close(): void {
    for (const timer of this.#kept.values()) clearTimeout(timer);
    this.#kept.clear();
  }
}

const remove = (path: string): void => void rm(path, { force: true }).catch(() => undefined);
