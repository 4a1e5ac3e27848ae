import { type ListPageOptions, listPage } from '@sandport/engine';
import { fileTypeSchema, maxPageEntries, SandportFault } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import { sendJsonPieces } from '../../http/json-stream.ts';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';

/** Entries of a directory, or of all below it, in pages. */
export const listRoutes = (place: FilePlace): Route[] => [
  {
    method: 'GET',
    path: `${place.prefix}/dir`,
    handle: async (exchange) => {
      const path = pathOf(exchange, '/');
      const options = optionsOf(exchange);
      const files = await place.toLook(exchange);
      await sendJsonPieces(exchange, listing(path, listPage(files, path, options)));
    },
  },
];

/** A DirectoryListing, piece by piece. */
async function* listing(path: string, page: ReturnType<typeof listPage>): AsyncGenerator<string> {
  let step = await page.next();
  yield `{"path":${JSON.stringify(path)},"entries":[`;
  for (let separator = ''; step.done !== true; step = await page.next()) {
    yield separator + JSON.stringify(step.value);
    separator = ',';
  }
  const { cursor } = step.value;
  yield `],"truncated":${cursor !== undefined}`;
  yield cursor === undefined ? '}' : `,"cursor":${JSON.stringify(cursor)}}`;
}

function optionsOf({ query, signal }: Exchange): ListPageOptions {
  const recursive = query.get('recursive');
  return {
    // Left out it depends on the glob.
    ...(recursive === undefined ? {} : { recursive: query.flag('recursive', false) }),
    depth: query.integer('depth', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    glob: query.get('glob'),
    hidden: query.flag('hidden', true),
    type: oneOf(fileTypeSchema.options, 'type', query.get('type')),
    checksum: oneOf(['sha-256'], 'checksum', query.get('checksum')) !== undefined,
    limit: query.integer('limit', { min: 1, max: maxPageEntries }),
    cursor: query.get('cursor'),
    signal,
  };
}

function oneOf<Value extends string>(
  values: readonly Value[],
  name: string,
  text: string | undefined,
): Value | undefined {
  const value = values.find((each) => each === text);
  if (value !== undefined || text === undefined) return value;
  throw new SandportFault(
    'invalid_request',
    `\`${name}\` must be ${values.map((each) => `\`${each}\``).join(' or ')}.`,
    { field: name },
  );
}
