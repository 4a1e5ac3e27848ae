import type { FilesApi } from '../filesystem/files-api.ts';
import { receiveBody } from '../filesystem/read/receive-body.ts';
import { extractTree } from './extract-tree.ts';
import { gunzipped } from './gzip.ts';
import { ignoreRules } from './ignore-rules.ts';
import type { DownloadDirOptions, TreeResult } from './tree-options.ts';

export const defaultMaxEntries = 1_000_000;
export const defaultMaxBytes = 64 * 1024 ** 3;

/** Fetches a directory as one archive and unpacks it; see `Filesystem.downloadDir`. */
export async function downloadDir(
  api: FilesApi,
  remotePath: string,
  localPath: string,
  options: DownloadDirOptions,
): Promise<TreeResult> {
  const isIgnored = ignoreRules(localPath, options);
  return fetchTree(api, remotePath, localPath, {
    ...options,
    accept: (name, isDirectory) => name === '' || !isIgnored(name, isDirectory),
  });
}

export interface FetchOptions extends Omit<DownloadDirOptions, 'ignore' | 'ignoreFile'> {
  /** False: the entry is left out. */
  readonly accept: (name: string, isDirectory: boolean) => boolean;
}

/** Fetches the entries of a directory of the sandbox that are accepted. */
export async function fetchTree(
  api: FilesApi,
  remotePath: string,
  localPath: string,
  options: FetchOptions,
): Promise<TreeResult> {
  const { compression = 'none', exclude = [], signal, onProgress, accept } = options;
  const spec = {
    method: 'GET',
    path: `${api.fsPath}/archive`,
    query: {
      path: remotePath,
      format: compression === 'gzip' ? 'tar.gz' : undefined,
      exclude,
    },
    headers: { accept: 'application/x-tar' },
    signal,
  } as const;
  const message = await api.transport.send(spec);
  const body = receiveBody(api.transport, message, spec);
  try {
    return await extractTree(compression === 'gzip' ? gunzipped(body) : body, localPath, {
      maxEntries: options.maxEntries ?? defaultMaxEntries,
      maxBytes: options.maxBytes ?? defaultMaxBytes,
      unsafeLinks: options.unsafeLinks ?? 'skip',
      overwrite: options.overwrite ?? true,
      accept,
      onProgress: onProgress && ((bytes, files) => onProgress({ bytes, files })),
    });
  } finally {
    message.destroy();
  }
}
