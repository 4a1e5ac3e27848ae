import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import type { StoreChange } from '../../store/object-store.ts';
import { whenRevoked } from '../access/when-revoked.ts';
import type { Visibility } from '../access/visible-objects.ts';
import type { View } from '../answers/represent.ts';
import { setWarnings } from '../answers/warnings.ts';
import type { ApiContext, Exchange } from '../requests/exchange.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';
import { bookmarkLine, ChangeLines, eventLine, objectLine } from './event-lines.ts';
import { LineWriter } from './line-writer.ts';
import { type Selection, selectionOf, typeFor } from './selection.ts';
import { type WatchOptions, watchOptionsOf } from './watch-options.ts';

const bookmarkIntervalMs = 60_000;
/** Of connections that say nothing; finds clients that went away without a word. */
const keepAliveMs = 30_000;

export interface WatchRequest {
  readonly target: ResourceTarget;
  readonly view: View;
  readonly visibility: Visibility;
  readonly warnings: readonly string[];
}

/**
 * Answers with what happens to objects, a line each, until its time is over, the client has gone or
 * the server stops.
 * @throws KubeError before the answer has begun
 */
export function serveWatch(
  context: ApiContext,
  { request, response, query, caller }: Exchange,
  { target, view, visibility, warnings }: WatchRequest,
): void {
  const { store, hub } = context;
  const options = watchOptionsOf(query);
  const selection = selectionOf(query);
  hub.checkRoom(caller.name);

  setWarnings(response, warnings);
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-cache, private',
  });
  response.flushHeaders();
  request.socket.setNoDelay(true);
  request.socket.setTimeout(0);
  request.socket.setKeepAlive(true, keepAliveMs);

  const seen = { view, visibility, selection };
  const { lines: first, failure } = beginning(store, target, options, seen);
  const writer = new LineWriter(response, first);
  if (failure !== undefined) return writer.endWith(errorLine(failure));

  const end = () => {
    if (options.bookmarks) writer.push(bookmarkLine(view, store.revision, false));
    writer.end();
  };
  const subscription = hub.add({
    key: target.key,
    name: selection.name,
    callerName: caller.name,
    tell: (change, lines) => {
      const line = lineOf(change, lines, seen);
      if (line === undefined || writer.push(line)) return;
      subscription[Symbol.dispose]();
      writer.endWith(errorLine(tooSlow()));
    },
    end,
  });
  const timeout = setTimeout(end, options.timeoutMs);
  const marks = options.bookmarks
    ? setInterval(() => writer.push(bookmarkLine(view, store.revision, false)), bookmarkIntervalMs)
    : undefined;
  const revocation = whenRevoked(context, request, () => writer.end());
  response.once('close', () => {
    revocation[Symbol.dispose]();
    clearTimeout(timeout);
    clearInterval(marks);
    subscription[Symbol.dispose]();
  });
}

/** How one watcher sees objects. */
interface Sight {
  readonly view: View;
  readonly visibility: Visibility;
  readonly selection: Selection;
}

interface Beginning {
  /** Of the objects and changes of the present, made one by one. */
  readonly lines: Iterable<string>;
  readonly failure?: KubeError;
}

function beginning(
  store: ApiContext['store'],
  { key }: ResourceTarget,
  { start }: WatchOptions,
  sight: Sight,
): Beginning {
  const { revision } = store;
  if (start.type === 'now') return { lines: [] };
  if (start.type === 'present') {
    const objects = sight.visibility.objects();
    const mark = start.bookmark ? [bookmarkLine(sight.view, revision, true)] : [];
    return { lines: presentLines(objects, sight, mark) };
  }
  try {
    if (start.revision > revision) {
      throw new KubeError(
        'Expired',
        `too large resource version: ${start.revision}, current: ${revision}`,
      );
    }
    return { lines: pastLines(store.changesSince(key, start.revision), sight) };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return { lines: [], failure: error };
  }
}

function* presentLines(
  objects: readonly KubeObject[],
  { view, selection }: Sight,
  mark: readonly string[],
): Generator<string> {
  for (const object of objects) {
    if (selection.matches?.(object) !== false) yield objectLine(view, 'ADDED', object);
  }
  yield* mark;
}

function* pastLines(changes: readonly StoreChange[], sight: Sight): Generator<string> {
  for (const change of changes) {
    const line = lineOf(change, new ChangeLines(change), sight);
    if (line !== undefined) yield line;
  }
}

function lineOf(
  change: StoreChange,
  lines: ChangeLines,
  { view, visibility, selection }: Sight,
): string | undefined {
  if (!visibility.sees(change)) return undefined;
  const type = typeFor(change, selection.matches);
  return type === undefined ? undefined : lines.line(view, type);
}

const errorLine = (error: KubeError): string =>
  eventLine('ERROR', JSON.stringify(error.toStatus()));

const tooSlow = (): KubeError =>
  new KubeError('Expired', 'the watch was read too slowly; list again and watch from there');
