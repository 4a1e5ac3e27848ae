import type { SandboxFiles } from '@sandport/driver';
import type { Engine } from '@sandport/engine';
import type { Exchange } from '../../http/exchange.ts';
import { volumeOf } from '../volume-of.ts';
import { tellWhenWoken } from '../waking.ts';

/** What has files: the file routes are the same for each. */
export interface FilePlace {
  /** What all its file routes begin with. */
  readonly prefix: string;
  /** The files that the route names, for requests that only look: that is no use of a sandbox. */
  toLook(exchange: Exchange): Promise<SandboxFiles>;
  /** The same, for requests that take contents out: until they are answered the sandbox is used. */
  toRead(exchange: Exchange): Promise<SandboxFiles>;
  /** The same, for requests that change something. They wake a sandbox. */
  toWrite(exchange: Exchange): Promise<SandboxFiles>;
}

/** The sandbox in the route. */
export function sandboxPlace({ files }: Engine): FilePlace {
  const use = (exchange: Exchange, moved?: () => number) =>
    exchange.hold(files.using(exchange.principal, exchange.param('id'), moved));
  const toLook = (exchange: Exchange) => files.reading(exchange.principal, exchange.param('id'));
  return {
    prefix: '/v1/sandboxes/:id/fs',
    toLook,
    toRead: async (exchange) => {
      // A client may stop reading and stay; one that stops sending is given up some time.
      use(exchange, () => exchange.bytesSent);
      return toLook(exchange);
    },
    toWrite: async (exchange) => {
      use(exchange);
      const { principal } = exchange;
      return files.writing(principal, exchange.param('id'), tellWhenWoken(exchange));
    },
  };
}

/** The volume in the route, in the namespace of the query; no sandbox is needed. */
export function volumePlace(engine: Engine): FilePlace {
  const find = (exchange: Exchange) => {
    const { namespace, name } = volumeOf(exchange);
    return engine.volumes.files(exchange.principal, namespace, name);
  };
  return { prefix: '/v1/volumes/:name/fs', toLook: find, toRead: find, toWrite: find };
}
