import { createdLinkSchema, linkSchema } from '@sandport/protocol';
import { type FilesApi, guestPath } from '../files-api.ts';
import type { SignalOptions } from '../progress.ts';

export interface CreateLinkOptions extends SignalOptions {
  /** `GET` downloads, `PUT` uploads. @default 'GET' */
  method?: 'GET' | 'PUT' | undefined;
  /** At most 604,800: seven days. @default 3600 */
  expiresInSeconds?: number | undefined;
  /** Largest upload. @default no limit */
  maxBytes?: number | undefined;
}

/** A link to one file that works without a key. */
export interface FileLink {
  readonly id: string;
  readonly path: string;
  readonly method: 'GET' | 'PUT';
  readonly maxBytes?: number | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface CreatedFileLink extends FileLink {
  /** For curl and browsers. It is told this once only. */
  readonly url: string;
}

export async function createLink(
  api: FilesApi,
  path: string,
  options: CreateLinkOptions,
): Promise<CreatedFileLink> {
  const { method, expiresInSeconds, maxBytes } = options;
  const body = {
    path: guestPath(path),
    method,
    expires_in_seconds: expiresInSeconds,
    max_bytes: maxBytes,
  };
  const link = await api.post('/links', body, createdLinkSchema, options);
  return { ...linkOf(link), url: link.url };
}

export async function listLinks(api: FilesApi, options: SignalOptions): Promise<FileLink[]> {
  return (await api.get('/links', {}, linkSchema.array(), options)).map(linkOf);
}

export async function revokeLink(
  api: FilesApi,
  id: string,
  { signal }: SignalOptions,
): Promise<void> {
  const path = `${api.fsPath}/links/${encodeURIComponent(id)}`;
  await api.transport.drain({ method: 'DELETE', path, signal });
}

function linkOf(link: {
  id: string;
  path: string;
  method: 'GET' | 'PUT';
  max_bytes?: number | undefined;
  created_at: string;
  expires_at: string;
}): FileLink {
  return {
    id: link.id,
    path: link.path,
    method: link.method,
    ...(link.max_bytes !== undefined && { maxBytes: link.max_bytes }),
    createdAt: new Date(link.created_at),
    expiresAt: new Date(link.expires_at),
  };
}
