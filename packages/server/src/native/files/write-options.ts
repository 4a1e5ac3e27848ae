import type { FileOwner, PatchFileOptions } from '@sandport/driver';
import { preconditionOf, timeNsOf } from '@sandport/engine';
import { maxNumericId, modeTextSchema, SandportFault, timeTextSchema } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';

/** What a request to write a file asks for. */
export interface WriteRequest {
  readonly options: PatchFileOptions;
  /** Into the file that is there, instead of a new one in its place. */
  readonly inPlace: boolean;
}

/** Reads the query and the conditions of a write. @throws SandportFault `invalid_request` */
export function writeRequestOf(exchange: Exchange): WriteRequest {
  const { query } = exchange;
  const { headers } = exchange.request;
  const mode = modeOf(exchange);
  const owner = ownerOf(exchange);
  const mtime = query.get('mtime');
  const offset = integerOf(exchange, 'offset', Number.MAX_SAFE_INTEGER);
  const append = query.flag('append', false);
  if (append && offset !== undefined)
    throw refuse('offset', 'append and offset exclude each other');
  const precondition = preconditionOf({
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
  });
  return {
    inPlace: append || offset !== undefined,
    options: {
      createParents: query.flag('create_parents', true),
      durable: query.flag('sync', false),
      ...(mode === undefined ? {} : { mode }),
      ...(owner === undefined ? {} : { owner }),
      ...(mtime === undefined ? {} : { mtimeNs: timeOf(mtime) }),
      ...(offset === undefined ? {} : { offset }),
      ...(precondition === undefined ? {} : { precondition }),
    },
  };
}

/** Permission bits in the query, in octal. @throws SandportFault `invalid_request` */
export function modeOf(exchange: Exchange): number | undefined {
  const text = exchange.query.get('mode');
  if (text === undefined) return undefined;
  if (!modeTextSchema.safeParse(text).success)
    throw refuse('mode', 'must be octal permission bits, as 0644');
  return Number.parseInt(text, 8);
}

function ownerOf(exchange: Exchange): Partial<FileOwner> | undefined {
  const uid = integerOf(exchange, 'uid', maxNumericId);
  const gid = integerOf(exchange, 'gid', maxNumericId);
  if (uid === undefined && gid === undefined) return undefined;
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}

function integerOf(exchange: Exchange, name: string, most: number): number | undefined {
  const text = exchange.query.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most)
    throw refuse(name, `must be a whole number from 0 to ${most}`);
  return value;
}

function timeOf(text: string): bigint {
  if (!timeTextSchema.safeParse(text).success)
    throw refuse('mtime', 'must be seconds since 1970, as 1700000000.25');
  return timeNsOf(text);
}

const refuse = (field: string, why: string) =>
  new SandportFault('invalid_request', `\`${field}\` ${why}.`, { field });
