import { type ReadFileResult, readFileEntries } from './batch/read-files.ts';
import {
  removeFiles,
  type RemoveFileResult,
  type RemoveFilesOptions,
} from './batch/remove-files.ts';
import {
  type BatchOptions,
  type FileToWrite,
  type WriteFileResult,
  writeFiles,
} from './batch/write-files.ts';
import {
  replace,
  type ReplaceOptions,
  type ReplaceResult,
  search,
  type SearchOptions,
  type SearchResult,
} from './entries/search.ts';
import { FileEntries } from './file-entries.ts';
import {
  createLink,
  type CreatedFileLink,
  type CreateLinkOptions,
  type FileLink,
  listLinks,
  revokeLink,
} from './links/links.ts';
import type { SignalOptions } from './progress.ts';

/** Many files in one request: written, read, removed, searched; and links for others. */
export class FileBatches extends FileEntries {
  /**
   * Writes many files of up to 16 MiB each in one request, each of them atomic. With `mode: 'all'`
   * no file appears unless all can be written.
   * @returns results in the order of the files; with `each`, failures are among them
   */
  writeFiles(files: Iterable<FileToWrite>, options: BatchOptions = {}): Promise<WriteFileResult[]> {
    return writeFiles(this.api, files, options);
  }

  /** Reads many files of up to 16 MiB each. @returns results in the order of the paths */
  async readFiles(paths: Iterable<string>, options: BatchOptions = {}): Promise<ReadFileResult[]> {
    const all: ReadFileResult[] = [];
    for await (const result of readFileEntries(this.api, paths, options)) all.push(result);
    return all;
  }

  /** The same one by one as they come, so that they need not fit into memory together. */
  readFileEntries(
    paths: Iterable<string>,
    options: BatchOptions = {},
  ): AsyncGenerator<ReadFileResult, void, undefined> {
    return readFileEntries(this.api, paths, options);
  }

  /** Removes many files, symlinks and directories. @returns results in the order of the paths */
  removeFiles(
    paths: Iterable<string>,
    options: RemoveFilesOptions = {},
  ): Promise<RemoveFileResult[]> {
    return removeFiles(this.api, paths, options);
  }

  /**
   * Lines that hold a text or match a regular expression; binary files are left out.
   * @throws BadRequestError `invalid_pattern`
   */
  search(pattern: string, options: SearchOptions = {}): Promise<SearchResult> {
    return search(this.api, pattern, options);
  }

  /**
   * Replaces a text or a regular expression in files, atomically in each. With `regex`, `$1` and
   * `${name}` stand for groups.
   * @throws BadRequestError `invalid_pattern`
   */
  replace(
    pattern: string,
    replacement: string,
    options: ReplaceOptions = {},
  ): Promise<ReplaceResult> {
    return replace(this.api, pattern, replacement, options);
  }

  /** Makes a link that downloads or uploads one file without a key, for curl and browsers. */
  createLink(path: string, options: CreateLinkOptions = {}): Promise<CreatedFileLink> {
    return createLink(this.api, path, options);
  }

  /** Links that still work, without their addresses. */
  listLinks(options: SignalOptions = {}): Promise<FileLink[]> {
    return listLinks(this.api, options);
  }

  /** Makes a link useless. @throws NotFoundError */
  revokeLink(id: string, options: SignalOptions = {}): Promise<void> {
    return revokeLink(this.api, id, options);
  }
}
