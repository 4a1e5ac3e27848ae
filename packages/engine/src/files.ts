import type { FileWriter, OpenFile, SandboxFiles, WriteFileOptions } from '@sandport/driver';
import {
  type DirectoryListing,
  type FileEntry,
  type GuestPath,
  parseGuestPath,
} from '@sandport/protocol';
import type { Principal } from './principal.ts';
import type { Sandboxes } from './sandboxes/sandboxes.ts';
import { invalidState } from './sandboxes/to-object.ts';

/** Files of sandboxes, by key, sandbox and path. They work while the sandbox does not run, too. */
export class Files {
  readonly #sandboxes: Sandboxes;

  constructor(sandboxes: Sandboxes) {
    this.#sandboxes = sandboxes;
  }

  open(principal: Principal, sandbox: string, path: string): Promise<OpenFile> {
    return this.#files(principal, sandbox).open(parseGuestPath(path));
  }

  write(
    principal: Principal,
    sandbox: string,
    path: string,
    options: WriteFileOptions = {},
  ): Promise<FileWriter> {
    return this.#files(principal, sandbox).write(parseGuestPath(path), options);
  }

  async list(principal: Principal, sandbox: string, path: string): Promise<DirectoryListing> {
    const guestPath = parseGuestPath(path);
    const entries = await this.#files(principal, sandbox).list(guestPath);
    return { path: guestPath, entries: [...entries] };
  }

  stat(
    principal: Principal,
    sandbox: string,
    path: string,
    options: { followSymlinks?: boolean } = {},
  ): Promise<FileEntry> {
    return this.#files(principal, sandbox).stat(parseGuestPath(path), options);
  }

  remove(
    principal: Principal,
    sandbox: string,
    path: string,
    options: { recursive?: boolean; signal?: AbortSignal } = {},
  ): Promise<void> {
    return this.#files(principal, sandbox).remove(parseGuestPath(path), options);
  }

  async makeDirectory(principal: Principal, sandbox: string, path: string): Promise<GuestPath> {
    const guestPath = parseGuestPath(path);
    await this.#files(principal, sandbox).makeDirectory(guestPath);
    return guestPath;
  }

  #files(principal: Principal, idOrName: string): SandboxFiles {
    const { row, sandbox } = this.#sandboxes.find(principal, idOrName);
    if (sandbox === undefined || row.status === 'deleted')
      throw invalidState(row, 'its files are not there');
    return sandbox.files;
  }
}
