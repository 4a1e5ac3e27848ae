import type { FilesApi } from '../files-api.ts';
import { type FileInfo, fileInfo } from './file-info.ts';
import type { ListOptions } from './list-options.ts';
import { listPages } from './list-pages.ts';

/** The entries of a listing one by one. */
export async function* entries(
  api: FilesApi,
  path: string,
  options: ListOptions,
): AsyncGenerator<FileInfo, void, undefined> {
  for await (const page of listPages(api, path, options)) yield* page.map(fileInfo);
}

/** All entries of a listing. */
export async function list(api: FilesApi, path: string, options: ListOptions): Promise<FileInfo[]> {
  const all: FileInfo[] = [];
  for await (const page of listPages(api, path, options))
    for (const entry of page) all.push(fileInfo(entry));
  return all;
}
