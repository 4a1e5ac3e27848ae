import type { SandboxFiles } from '@sandport/driver';
import type { Engine } from '@sandport/engine';
import type { Exchange } from '../../http/exchange.ts';
import { volumeOf } from '../volume-of.ts';

/** What has files: the file routes are the same for each. */
export interface FilePlace {
  /** What all its file routes begin with. */
  readonly prefix: string;
  /** The files that the route names, for requests that only look. */
  toRead(exchange: Exchange): Promise<SandboxFiles>;
  /** The same, for requests that change something. */
  toWrite(exchange: Exchange): Promise<SandboxFiles>;
}

/** The sandbox in the route. */
export const sandboxPlace = (engine: Engine): FilePlace => ({
  prefix: '/v1/sandboxes/:id/fs',
  toRead: (exchange) => engine.files.reading(exchange.principal, exchange.param('id')),
  toWrite: (exchange) => engine.files.writing(exchange.principal, exchange.param('id')),
});

/** The volume in the route, in the namespace of the query; no sandbox is needed. */
export function volumePlace(engine: Engine): FilePlace {
  const find = (exchange: Exchange) => {
    const { namespace, name } = volumeOf(exchange);
    return engine.volumes.files(exchange.principal, namespace, name);
  };
  return { prefix: '/v1/volumes/:name/fs', toRead: find, toWrite: find };
}
