import { setImmediate } from 'node:timers/promises';
import type {
  FileOwner,
  FileWriter,
  OpenFile,
  SandboxFiles,
  WriteFileOptions,
} from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { FileEntry, GuestPath } from '@sandport/protocol';
import { FaultWritable } from './fault-writable.ts';
import { baseName, fileEntry, joinPath } from './file-entry.ts';
import { fileFault } from './file-fault.ts';

/** The files of one sandbox, running or not, through the descriptor of its root. */
export class RootedSandboxFiles implements SandboxFiles {
  readonly #root: RootedFs;
  readonly #owner: FileOwner;

  /** `owner` owns new files where nothing else is asked for. */
  constructor(root: RootedFs, owner: FileOwner) {
    this.#root = root;
    this.#owner = owner;
  }

  async open(path: GuestPath): Promise<OpenFile> {
    const file = about(path, () => this.#root.openFile(path));
    return {
      entry: fileEntry({ name: baseName(path), path }, file.stat),
      etag: file.etag,
      stream: (range) => file.stream(range),
      close: () => file.close(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  async write(path: GuestPath, options: WriteFileOptions = {}): Promise<FileWriter> {
    const owner = options.owner ?? this.#owner;
    const { createParents = true, mode = 0o644 } = options;
    const pending = about(path, () =>
      this.#root.createWriter(path, { createParents, mode, owner }),
    );
    const stream = new FaultWritable(pending.stream, path);
    // An error that comes while nobody listens is told by commit.
    stream.on('error', () => {});
    const abort = async () => {
      stream.destroy();
      await pending.abort();
    };
    return {
      stream,
      commit: async () => about(path, () => pending.commit()),
      abort,
      [Symbol.asyncDispose]: abort,
    };
  }

  async list(path: GuestPath): Promise<readonly FileEntry[]> {
    const entries = await aboutAsync(path, () => this.#root.list(path));
    const result: FileEntry[] = [];
    for (const entry of entries) {
      const { name, nameBytes } = entry;
      result.push(fileEntry({ name, path: joinPath(path, name), nameBytes }, entry.stat));
      // Long directories do not hold up other requests.
      if (result.length % 2000 === 0) await setImmediate();
    }
    return result;
  }

  async stat(path: GuestPath, options?: { followSymlinks?: boolean }): Promise<FileEntry> {
    const stat = about(path, () => this.#root.stat(path, options));
    return fileEntry({ name: baseName(path), path }, stat);
  }

  async remove(
    path: GuestPath,
    options: { recursive?: boolean; signal?: AbortSignal } = {},
  ): Promise<void> {
    await aboutAsync(path, () => this.#root.remove(path, options));
  }

  async makeDirectory(path: GuestPath, options: { owner?: FileOwner } = {}): Promise<void> {
    const owner = options.owner ?? this.#owner;
    about(path, () => this.#root.makeDirectory(path, { owner, mode: 0o755 }));
  }
}

function about<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileFault(error, path);
  }
}

async function aboutAsync<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw fileFault(error, path);
  }
}
