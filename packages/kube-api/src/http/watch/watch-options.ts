import { KubeError } from '../../objects/kube-error.ts';
import { flag, oneOf, text, wholeNumber } from '../requests/query.ts';
import { revisionOf } from '../requests/revision.ts';

/** Where a watch begins. */
export type WatchStart =
  /** With all objects there are; `bookmark`: and a mark after them. */
  | { readonly type: 'present'; readonly bookmark: boolean }
  | { readonly type: 'now' }
  | { readonly type: 'after'; readonly revision: number };

export interface WatchOptions {
  readonly start: WatchStart;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

const maxTimeoutSeconds = 24 * 3600;
const minDefaultSeconds = 1800;

/** @throws KubeError `BadRequest`, `Invalid` */
export function watchOptionsOf(query: URLSearchParams): WatchOptions {
  const bookmarks = flag(query, 'allowWatchBookmarks') ?? false;
  const seconds = wholeNumber(query, 'timeoutSeconds') ?? 0;
  // Watches that were begun together shall not end together.
  const defaultSeconds = minDefaultSeconds * (1 + Math.random());
  const timeoutMs = 1000 * Math.min(seconds === 0 ? defaultSeconds : seconds, maxTimeoutSeconds);
  return { start: startOf(query), bookmarks, timeoutMs };
}

function startOf(query: URLSearchParams): WatchStart {
  const revision = revisionOf(text(query, 'resourceVersion'));
  const sendInitialEvents = flag(query, 'sendInitialEvents');
  const match = oneOf(query, 'resourceVersionMatch', ['NotOlderThan', 'Exact']);
  if (sendInitialEvents === undefined && match !== undefined) {
    throw invalid(
      'resourceVersionMatch',
      'is forbidden for watch unless sendInitialEvents is provided',
    );
  }
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    throw invalid('sendInitialEvents', 'needs resourceVersionMatch=NotOlderThan');
  }
  if (sendInitialEvents === true) return { type: 'present', bookmark: true };
  if (revision !== undefined && revision > 0) return { type: 'after', revision };
  return sendInitialEvents === false ? { type: 'now' } : { type: 'present', bookmark: false };
}

const invalid = (field: string, message: string): KubeError =>
  new KubeError(
    'Invalid',
    `ListOptions.meta.k8s.io "" is invalid: ${field}: Forbidden: ${message}`,
    {
      group: 'meta.k8s.io',
      kind: 'ListOptions',
      causes: [{ field, message: `Forbidden: ${message}`, reason: 'FieldValueForbidden' }],
    },
  );
